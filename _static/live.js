// The cells of a chapter, edited and run in the reader's browser. Nothing is loaded before somebody presses Run.
//
// One worker (live-worker.mjs) holds one Python for the page. Cells run in order: a cell brings along those above it
// that have not been run as they stand. Stop ends the worker, and with it all variables; the next Run starts another.

document.addEventListener("DOMContentLoaded", () => {
  const blocks = [...document.querySelectorAll("div.cell")].filter(block => block.querySelector(".cell_input pre"))
  if (blocks.length) new LivePage(blocks)
})

const SITE = new URL("..", document.currentScript.src)   // the book's first folder: this file stands in its _static

function make(tag, attributes = {}, ...children) {
  const element = Object.assign(document.createElement(tag), attributes)
  element.append(...children)
  return element
}

// The page: its cells, the queue of those to be run, and the worker.

class LivePage {
  constructor(blocks) {
    this.queue = []
    this.worker = null      // Python, from the first Run to Stop
    this.ready = false      // has it been loaded?
    this.stopped = false    // were there variables that are gone?
    this.cells = blocks.map((block, i) => new LiveCell(this, block, i + 1))
    this.runAll = make("button", {type: "button", textContent: "Run all", onclick: () => this.request(this.cells)})
    this.stopButton = make("button", {type: "button", textContent: "Stop", hidden: true, onclick: () => this.stop()})
    this.status = make("span", {className: "live-note"}, "The code on this page runs in your browser: change it and ",
                       "press Run, or Shift+Enter. Escape leaves the code.")
    this.status.setAttribute("role", "status")
    this.bar = make("div", {className: "live-page"}, this.runAll, this.stopButton, this.status)
    document.querySelector(".bd-article h1").after(this.bar)
  }

  say(text, failed = false) {
    this.status.textContent = text
    this.bar.classList.toggle("live-failed", failed)
  }

  // Run these cells, and before them those above that have not been run. Called by the buttons and by Shift+Enter.
  request(wanted) {
    const last = wanted[wanted.length - 1]
    const settled = cell => this.queue.slice(cell.outdated ? 1 : 0).includes(cell)
    const earlier = this.cells.slice(0, last.number - 1)
      .filter(cell => cell.ran !== cell.source && !wanted.includes(cell) && !settled(cell))
    const added = [...earlier, ...wanted.filter(cell => !settled(cell))]
    const idle = !this.queue.length
    this.queue.push(...added)
    added.forEach(cell => cell.wait(true, "Waiting"))
    if (wanted.length === 1) last.open()
    if (earlier.length) last.say(`First ${numbers(earlier)}, not run yet`)
    if (idle) this.next()
  }

  next() {
    const cell = this.queue[0], focused = document.activeElement
    this.stopButton.hidden = !cell
    this.runAll.hidden = Boolean(cell)
    if (focused === this.runAll && cell) this.stopButton.focus()
    if (focused === this.stopButton && !cell) this.runAll.focus()
    this.bar.classList.toggle("live-busy", Boolean(cell))
    if (!cell) return
    if (!this.worker) return this.start()
    if (!this.ready) return
    const left = this.queue.length > 1 ? `, then ${numbers(this.queue.slice(1))}` : ""
    this.say(`Running cell ${cell.number}${left} …`)
    cell.begin()
    this.worker.postMessage({source: cell.source, name: `cell ${cell.number}`})
  }

  start() {
    const setting = name => document.querySelector(`meta[name="${name}"]`)?.content ?? ""
    this.pyodide = new URL(setting("live-pyodide").replace(/\/*$/, "/"), SITE)
    this.again = this.stopped ? " The variables of before are gone." : ""
    this.late = setTimeout(() => this.say(`Python is still loading from ${this.pyodide.host}. If the network is slow, `
      + "wait; if it blocks that address, Stop gives up."), 30_000)
    try {
      this.worker = new Worker(new URL("_static/live-worker.mjs", SITE), {type: "module"})
      this.worker.onerror = event => { event.preventDefault(); this.ready ? this.breakDown() : this.fail(event.message) }
      this.worker.onmessage = ({data}) => this.hear(data)
      this.worker.postMessage({pyodide: this.pyodide.href, wheel: new URL(setting("live-wheel"), SITE).href,
                               page: location.href, files: setting("live-files").split(" ").filter(Boolean)})
    } catch {
      this.fail()
    }
  }

  hear({kind, text, ok, seconds}) {
    const cell = this.queue[0]
    if (kind === "progress") this.say(text + this.again)
    else if (kind === "failed") this.fail(text)
    else if (kind === "ready") {
      clearTimeout(this.late)
      this.ready = true
      this.next()
    } else if (kind === "done") {
      this.queue.shift()
      cell.end(ok, seconds)
      const note = `Not run, because cell ${cell.number} ended with an error`
      if (!ok) this.empty().forEach(other => other.wait(false, note))
      if (!this.queue.length) this.say(`Cell ${cell.number} ${ok ? "has run" : "ended with an error"}.`, !ok)
      this.next()
    } else cell.show(kind, text)
  }

  // Take all cells off the queue, and return them.
  empty() {
    const cells = this.queue
    this.queue = []
    return cells
  }

  // End Python, and say so. Each cell's text and output stay.
  end(note) {
    clearTimeout(this.late)
    this.worker?.terminate()
    this.worker = null
    this.ready = false
    this.cells.forEach(cell => { cell.ran = cell.running = null })
    this.empty().forEach(cell => cell.wait(false, note))
    this.next()
  }

  stop() {
    this.stopped = this.ready
    this.end("Stopped")
    this.say("Stopped. The variables are gone; the next Run starts Python again.")
  }

  // Python itself has ended in the middle of a cell, as by os._exit or a fatal error of Pyodide.
  breakDown() {
    this.stopped = true
    this.end("Python broke down here, or before")
    this.say("Python broke down, and the variables are gone. The next Run starts it again.", true)
  }

  fail(detail = "") {
    this.end("Not run, because Python could not be loaded")
    const why = location.protocol === "file:" ? "a page opened as a file may not start it. Open it from a web address."
      : !navigator.onLine ? "there is no network. Connect, and press Run again."
      : !window.WebAssembly ? "this browser is too old. One of the last three years will do."
      : `${this.pyodide.host} may be blocked here, or this browser too old. Press Run to try again.`
    this.say(`Python could not be loaded: ${why} The text and its results can be read without it.`, true)
    if (detail) console.info(`live.js: ${detail}`)
  }
}

function numbers(cells) {
  const from = cells[0].number, to = cells[cells.length - 1].number
  if (cells.length === 1) return `cell ${from}`
  return to - from === cells.length - 1 ? `cells ${from} to ${to}` : `${cells.length} cells up to ${to}`
}

// A cell: its text, its outputs, its buttons.

class LiveCell {
  constructor(page, block, number) {
    Object.assign(this, {page, block, number, ran: null, running: null})   // the text that has run, and that runs
    this.pre = block.querySelector(".cell_input pre")
    this.output = block.querySelector(".cell_output") || block.appendChild(make("div", {className: "cell_output"}))
    this.published = {text: this.source, code: this.pre.innerHTML, outputs: [...this.output.childNodes]}
    this.pictures = [...this.output.querySelectorAll("img, touch-figure")].map(each => each.closest("figure") || each)
    this.button = make("button", {type: "button"})
    this.button.onclick = ({detail}) => {
      if (detail < 2) this.queued ? page.stop() : page.request([this])   // a double click is no Run and Stop,
    }
    this.button.onkeydown = event => { if (event.repeat) event.preventDefault() }         // nor is a key held down
    this.resetButton = make("button", {type: "button", textContent: "Reset", hidden: true, onclick: () => this.reset()})
    this.resetButton.setAttribute("aria-label", `Reset cell ${number} to the published text`)
    this.note = make("span", {className: "live-note"})
    const bar = make("div", {className: "live-bar"}, this.button, this.resetButton, this.note,
                     make("span", {className: "live-number"}, `Cell ${number}`))
    ;(this.pre.closest("details") || this.pre.closest(".cell_input")).after(bar)
    this.wait(false)
    this.makeEditable()
  }

  get source() {
    return textOf(this.pre).trimEnd()
  }

  get changed() {
    return this.source !== this.published.text
  }

  // Is it running as it stood before somebody changed it?
  get outdated() {
    return this.page.queue[0] === this && this.running !== null && this.source !== this.running
  }

  say(text) {
    this.note.textContent = text
  }

  // Is the cell in the queue? Its button then stops Python.
  wait(queued, note) {
    this.queued = queued
    this.button.textContent = queued ? "Stop" : "Run"
    this.button.setAttribute("aria-label", queued ? "Stop Python" : `Run cell ${this.number}`)
    this.resetButton.hidden = queued || !this.changed
    if (!queued) this.output.classList.remove("live-old")
    if (note !== undefined) this.say(note)
  }

  begin() {
    this.running = this.source
    this.shown = 0                                   // pictures so far
    this.fresh = false                               // is the old output gone?
    this.output.classList.add("live-old")
    this.say("Running …")
  }

  // To run this very cell is to ask for what comes out. To run all, or what a later cell needs, is not.
  open() {
    const hidden = this.output.closest("details")
    if (hidden) hidden.open = true
  }

  end(ok, seconds) {
    this.refresh()
    if (!ok) this.open()
    this.ran = ok ? this.running : null
    const note = !ok ? "Ended with an error" : this.source === this.running ? `Ran in ${seconds.toFixed(1)} s` : CHANGED
    this.running = null
    const again = this.page.queue.includes(this)
    this.wait(again, again ? "Waiting" : note)
  }

  // The old output goes when the first new one comes, so that the page does not jump.
  refresh() {
    if (this.fresh) return
    this.fresh = true
    this.output.classList.remove("live-old")
    this.output.replaceChildren()
  }

  show(kind, text) {
    this.refresh()
    const last = this.output.lastElementChild
    if (kind === "png") this.output.append(this.picture(text))
    else if (kind === "html" || kind === "svg") {
      this.output.append(this.framed(make("div", {className: "output text_html", innerHTML: text})))
    } else if (kind === "markdown") {
      this.output.append(make("div", {className: "output text_markdown"}, markdown(text)))
    } else if (last?.dataset.kind === kind) last.querySelector("pre").append(text)
    else {
      const output = make("div", {className: `output ${CLASSES[kind]} notranslate`},
                          make("div", {className: "highlight"}, make("pre", {tabIndex: 0}, text)))
      output.dataset.kind = kind
      this.output.append(output)
    }
  }

  // A picture takes the place of the published one, with its caption and address.
  picture(base64) {
    const published = this.pictures[this.shown++]
    const picture = published ? published.cloneNode(true) : make("img", {alt: `Figure drawn by cell ${this.number}`})
    const image = picture.matches("img") ? picture : picture.querySelector("img")
    image.src = `data:image/png;base64,${base64}`
    const changed = this.page.cells.some(cell => cell.changed)
    if (changed) image.alt = `Drawn after a change of the code. As published: ${image.alt}`
    return picture
  }

  // So does a figure that a reader can move.
  framed(box) {
    const published = this.pictures[this.shown]
    if (!published?.querySelector(".text_html")) return box
    this.shown++
    const figure = published.cloneNode(true)
    figure.querySelector(".text_html").replaceWith(box)
    return figure
  }

  reset() {
    this.pre.innerHTML = this.published.code
    this.output.replaceChildren(...this.published.outputs)
    this.resetButton.hidden = true
    this.say("As published")
    this.button.focus()
  }

  makeEditable() {
    const {pre} = this
    try { pre.contentEditable = "plaintext-only" } catch { pre.contentEditable = "true" }
    const attributes = {role: "textbox", "aria-multiline": "true", "aria-label": `Code of cell ${this.number}`,
                        spellcheck: "false", autocapitalize: "off", autocorrect: "off"}
    Object.entries(attributes).forEach(([name, value]) => pre.setAttribute(name, value))
    let typing = false                               // Tab indents only while somebody types
    pre.addEventListener("focus", () => { typing = false })
    pre.addEventListener("input", () => {
      typing = true
      this.resetButton.hidden = this.queued || !this.changed
      this.say(this.source === this.ran ? "" : CHANGED)
    })
    pre.addEventListener("blur", () => { if (document.activeElement !== pre) this.colour() })   // not for Alt+Tab
    this.block.addEventListener("keydown", event => {
      const {key, shiftKey} = event
      if (event.target === pre) event.stopPropagation()     // the theme's own shortcuts: "/" goes to the search
      if (event.isComposing) return
      if (key === "Enter" && (shiftKey || event.ctrlKey || event.metaKey)) {
        this.page.request([this])
        if (shiftKey) this.page.cells[this.number]?.focus()
      } else if (event.target !== pre) return
      else if (key === "Escape") this.button.focus()
      else if (key === "Tab" && typing && !shiftKey) insert("    ")
      else if (key === "Enter") insert("\n" + indentation(pre))
      else return
      event.preventDefault()
    })
  }

  focus() {
    (this.pre.checkVisibility?.() ?? this.pre.offsetParent ? this.pre : this.button).focus()
  }

  colour() {
    if (!this.changed) this.pre.innerHTML = this.published.code
    else this.pre.replaceChildren(coloured(this.source + "\n"))
    this.pre.scrollLeft = 0
  }
}

const CHANGED = "Changed, not run yet"
const CLASSES = {stdout: "stream highlight-myst-ansi", stderr: "stderr highlight-myst-ansi",
                 plain: "text_plain highlight-myst-ansi", error: "traceback highlight-ipythontb"}

// Typing. The command is old, but there is no other whose work the browser can undo.

function insert(text) {
  document.execCommand("insertText", false, text)
}

// Code as text: a line that was typed may end in a <br>.
function textOf(node) {
  const copy = node.cloneNode(true)
  copy.querySelectorAll("br").forEach(end => end.replaceWith("\n"))
  return copy.textContent
}

// The blanks with which the line of the caret begins; four more after a colon.
function indentation(pre) {
  const range = getSelection().getRangeAt(0).cloneRange()
  range.setStart(pre, 0)
  const line = textOf(range.cloneContents()).split("\n").pop()
  return line.match(/^ */)[0] + (/:\s*$/.test(line) ? "    " : "")
}

// The colours of a changed cell: Python in seven kinds of words, with the classes of the published ones.

const PYTHON = new RegExp([
  /(?<c1>#.*)/,
  /(?<s2>[rbfuRBFU]{0,2}(?:"""[^]*?"""|'''[^]*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))/,
  /(?<mf>\b\d[\w.]*)/,
  words("k", "as assert async await break class continue def del elif else except finally for from global if import "
    + "lambda nonlocal pass raise return try while with yield None True False"),
  words("ow", "and in is not or"),
  words("nb", "abs all any bool dict enumerate float int isinstance len list map max min print range repr reversed "
    + "round set sorted str sum tuple type zip"),
  /[A-Za-z_]\w*/,
  /(?<o>[-+*\/%@=<>!&|^~]+)/,
].map(each => each.source).join("|"), "g")

function words(name, list) {
  return RegExp(`(?<${name}>(?<![.\\w])(?:${list.replaceAll(" ", "|")})\\b)`)
}

function coloured(text) {
  const fragment = document.createDocumentFragment()
  let done = 0
  for (const match of text.matchAll(PYTHON)) {
    const className = Object.keys(match.groups).find(name => match.groups[name] !== undefined)
    fragment.append(text.slice(done, match.index), className ? make("span", {className}, match[0]) : match[0])
    done = match.index + match[0].length
  }
  fragment.append(text.slice(done))
  return fragment
}

// Markdown as chapters print it: tables, lists and paragraphs; in them code, mathematics, bold and italic.

function markdown(text) {
  const fragment = document.createDocumentFragment()
  for (const block of text.trim().split(/\n\s*\n/)) {
    const lines = block.split("\n")
    if (/^\s*\|?[\s:|-]+$/.test(lines[1] ?? "") && lines[0].includes("|")) fragment.append(table(lines))
    else if (lines.every(line => /^\s*[-*] /.test(line))) {
      fragment.append(make("ul", {}, ...lines.map(line => inline(make("li"), line.replace(/^\s*[-*] /, "")))))
    } else fragment.append(inline(make("p"), block))
  }
  return fragment
}

function table(lines) {
  const cells = line => line.trim().replace(/^\||\|$/g, "").split("|").map(cell => cell.trim())
  const sides = cells(lines[1]).map(rule => rule.endsWith(":") ? (rule.startsWith(":") ? "center" : "right") : "left")
  const row = (tag, line) => make("tr", {}, ...cells(line).map((cell, i) =>
    make(tag, {className: `text-${sides[i]}`}, inline(make("p"), cell))))
  return make("div", {className: "pst-scrollable-table-container"}, make("table", {className: "table"},
    make("thead", {}, row("th", lines[0])), make("tbody", {}, ...lines.slice(2).map(line => row("td", line)))))
}

function inline(element, text) {
  for (const part of text.split(/(`[^`]+`|\$[^$]+\$|\*\*.+?\*\*|\*[^*]+\*)/)) {
    const inner = mark => part.slice(mark, -mark)
    if (/^`.+`$/.test(part)) element.append(make("code", {}, inner(1)))
    else if (/^\$.+\$$/.test(part)) {
      const innerHTML = katex.renderToString(inner(1), {throwOnError: false})
      element.append(make("span", {className: "math", innerHTML}))
    } else if (/^\*\*.+\*\*$/.test(part)) element.append(inline(make("strong"), inner(2)))
    else if (/^\*.+\*$/.test(part)) element.append(inline(make("em"), inner(1)))
    else element.append(part)
  }
  return element
}
