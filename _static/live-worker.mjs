// Python for one page, away from the page's own thread, so that live.js can end an endless loop.
//
// It is told once where things are, {pyodide, wheel, page, files}, and then one cell at a time, {source, name}. It
// answers with {kind, text}: "progress", "ready" or "failed" while it loads; a cell's outputs, of the kinds of live.py;
// and "done", whose `ok` says whether the cell ran to its end. A name in .mjs keeps Jupyter Book from adding this to
// every page.

const tell = (kind, text = "", more = {}) => postMessage({kind, text, ...more})
let run, pyodide

async function fetched(url) {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url}: status ${response.status}`)
  return response
}

async function load({pyodide: base, wheel, page, files}) {
  tell("progress", "Loading Python, NumPy and Matplotlib: 19 MB the first time, then the browser keeps them …")
  const live = fetched(new URL("live.py", import.meta.url))
  const {loadPyodide} = await import(new URL("pyodide.mjs", base))
  pyodide = await loadPyodide({indexURL: base, packages: ["numpy", "matplotlib", wheel]})
  tell("progress", "Starting Python …")
  for (const file of files) {
    const path = `${pyodide.FS.cwd()}/${file}`   // mkdirTree takes every path from the root
    pyodide.FS.mkdirTree(path.slice(0, path.lastIndexOf("/")))
    pyodide.FS.writeFile(path, new Uint8Array(await (await fetched(new URL(file, page))).arrayBuffer()))
  }
  pyodide.FS.writeFile("live.py", await (await live).text())
  run = pyodide.pyimport("live").run
  tell("ready")
}

function runCell({source, name}) {
  const start = performance.now()
  const ok = run(source, name, tell)
  tell("done", "", {ok, seconds: (performance.now() - start) / 1000})
}

addEventListener("message", ({data}) =>
  data.pyodide ? load(data).catch(error => tell("failed", error.message)) : runCell(data))
