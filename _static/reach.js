// What is wider than the page scrolls in a box of its own. The keyboard reaches that box, a screen reader names it, and
// while there is more to the right its edge fades.
{
  const boxes = {
    "pre:not([contenteditable])": "Code or output", // what can be edited is reached anyhow
    ".pst-scrollable-table-container": "Table",
    ".math > span:not(.eqno)": "Formula",
    ".cell_output": "Output",
  }
  const fade = box => box.classList.toggle("goes-on", getComputedStyle(box).overflowX === "auto"
    && box.scrollLeft + box.clientWidth < box.scrollWidth - 1)
  const reach = () => {
    for (const [kind, name] of Object.entries(boxes))
      for (const box of document.querySelectorAll(`.bd-article ${kind}`)) {
        const scrolls = box.scrollWidth > box.clientWidth && getComputedStyle(box).overflowX === "auto"
        box.tabIndex = scrolls ? 0 : -1
        scrolls ? box.setAttribute("role", "group") : box.removeAttribute("role")
        scrolls ? box.setAttribute("aria-label", `${name}, scrolls sideways`) : box.removeAttribute("aria-label")
      }
    document.querySelectorAll(`.bd-article :is(pre, ${Object.keys(boxes)})`).forEach(fade)
  }
  addEventListener("load", () => document.fonts.ready.then(reach))
  addEventListener("resize", reach)
  document.addEventListener("toggle", reach, true) // an answer that was opened
  document.addEventListener("scroll", ({target}) => { if (target.matches?.(".bd-article *")) fade(target) }, true)
}
