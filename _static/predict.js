// A line for the reader's guess, between what a **Predict** asks and the output that is hidden below it. It stays there
// when the answer opens, and in this browser, if that keeps anything; it goes nowhere else.
{
  const store = {
    get(key) { try { return localStorage.getItem(key) || "" } catch { return "" } },
    set(key, text) {
      try {
        text ? localStorage.setItem(key, text) : localStorage.removeItem(key)
        return store.get(key) === text
      } catch { return false }
    },
  }
  // What is asked of the cell: the nearest **Predict** above it, with no heading, answer or other output between.
  const promptOf = cell => {
    for (let above = cell.previousElementSibling; above; above = above.previousElementSibling) {
      if (above.matches("h1, h2, h3, section, details, div.cell:has(.cell_output > *)")) return
      if ([...above.querySelectorAll("strong")].some(each => each.textContent.startsWith("Predict"))) return above
    }
  }
  const kept = document.createElement("template")
  kept.innerHTML = `<p class="guess"><label>Your guess <input type="text" maxlength="300" placeholder=" "
    autocomplete="off"></label> <span>It is kept in this browser.</span></p>`

  const line = (prompt, details) => {
    const key = `guess: ${prompt.textContent.trim().slice(0, 200)}`
    const guess = kept.content.cloneNode(true).firstChild
    const [input, note] = guess.querySelectorAll("input, span")
    input.value = store.get(key)
    input.addEventListener("input", () => {
      if (!store.set(key, input.value)) note.textContent = "It is kept until you leave this page."
    })
    input.addEventListener("keydown", event => event.stopPropagation())   // the theme's own shortcuts
    details.before(guess)
  }

  document.addEventListener("DOMContentLoaded", () => {
    for (const details of document.querySelectorAll("div.cell > details.below-input")) {
      const prompt = promptOf(details.parentElement)
      if (prompt) line(prompt, details)
    }
  })
}
