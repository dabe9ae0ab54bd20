// What is wider than the page scrolls in a box of its own. The keyboard reaches that box, and a screen reader names it.
{
  const boxes = {
    "pre:not([contenteditable])": "Code or output", // what can be edited is reached anyhow
    ".pst-scrollable-table-container": "Table",
    ".math > span:not(.eqno)": "Formula",
    ".cell_output": "Output",
  }
  const reach = () => {
    for (const [kind, name] of Object.entries(boxes))
      for (const box of document.querySelectorAll(`.bd-article ${kind}`)) {
        const scrolls = box.scrollWidth > box.clientWidth && getComputedStyle(box).overflowX === "auto"
        box.tabIndex = scrolls ? 0 : -1
        scrolls ? box.setAttribute("role", "group") : box.removeAttribute("role")
        scrolls ? box.setAttribute("aria-label", `${name}, scrolls sideways`) : box.removeAttribute("aria-label")
      }
  }
  addEventListener("load", () => document.fonts.ready.then(reach))
  addEventListener("resize", reach)
  document.addEventListener("toggle", reach, true) // an answer that was opened
}
