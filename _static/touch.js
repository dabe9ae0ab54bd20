// Figures to touch: still pictures from coursekit/touch.py. What moves carries data-is.
{ // a scope of its own
const number = (x, digits = 2) => {
  const text = x.toFixed(digits)
  return +text === 0 ? text.replace("-", "") : text.replace("-", "−")
}
const list = (numbers, digits) => numbers.map(x => number(x, digits)).join(", ")
const clamp = (x, low, high) => Math.min(Math.max(x, low), high)
const sum = numbers => numbers.reduce((a, b) => a + b, 0)
const dot = (a, b) => sum(a.map((x, n) => x * b[n]))
const round = x => +x.toFixed(6)
const radians = degrees => degrees * Math.PI / 180
const set = (part, values) => Object.entries(values).forEach(([name, value]) =>
  name === "text" ? part.textContent = value : part.setAttribute(name, value))
const place = (part, x, y) => set(part, {transform: `translate(${x} ${y})`})
const keys = (part, meanings, act) => part.addEventListener("keydown", event => {
  if (!(event.key in meanings) || event.ctrlKey || event.altKey || event.metaKey) return
  event.preventDefault()
  act(meanings[event.key])
})

// Weights of scores; zeros where nothing may be looked at.
const softmax = (scores, may) => {
  const top = Math.max(...scores), powers = scores.map((e, j) => may && !may[j] ? 0 : Math.exp(e - top))
  return powers.map(power => power && power / sum(powers))
}

// The colour of a weight (coursekit/plot.py), and what is readable on it.
const stops = [[255, 255, 255], [204, 121, 167], [51, 0, 31]]
const shade = weight => {
  const from = weight < 0.5 ? 0 : 1, part = weight * 2 - from
  return `rgb(${stops[from].map((c, n) => Math.round(c + part * (stops[from + 1][n] - c)))})`
}
const ink = weight => weight > 0.61 ? "#fff" : "#000"

class TouchFigure extends HTMLElement {
  connectedCallback() {
    if (this.svg) return  // only moved
    this.svg = this.querySelector("svg")
    this.updates = []
    set(this.svg, {role: "group"})  // what stands in an image is hidden from screen readers
    this.draw = kinds[this.getAttribute("kind")](this, JSON.parse(this.dataset.start))
    this.refresh()
    this.querySelector(".buttons").style.visibility = ""
  }

  parts(name) {
    return [...this.svg.querySelectorAll(`[data-is="${name}"]`)]
  }

  part(name) {
    return this.parts(name)[0]
  }

  each(name, values) {
    this.parts(name).forEach((part, n) => set(part, values(n)))
  }

  refresh() {
    this.draw()
    this.updates.forEach(update => update())
  }

  // A number that a handle moves. `get` and `put` reach it, `says` puts it into words. data-range: bounds and step;
  // data-rail: the place of 0 and the way to 1; without one, at(point) is what a point stands for. wrap: after which
  // it starts again; hover: without a press.
  slider(handle, {get, put, says, at, wrap, hover, low = x => x, high = x => x}) {
    const [least, most, step] = handle.dataset.range.split(" ").map(Number)
    const [x, y, dx, dy] = (handle.dataset.rail || "").split(" ").map(Number)
    at ||= point => dot([point.x - x, point.y - y], [dx, dy]) / (dx * dx + dy * dy)
    const move = wanted => {
      const next = get() + Math.round((wanted - get()) / step) * step
      put(round(wrap ? (next - least + 9 * wrap) % wrap + least : clamp(next, low(least), high(most))))
      this.refresh()
    }
    const where = ({clientX, clientY}) =>
      at(new DOMPoint(clientX, clientY).matrixTransform(this.svg.getScreenCTM().inverse()))
    let grip = 0  // what lies between pointer and number
    handle.addEventListener("pointerdown", event => {
      handle.setPointerCapture(event.pointerId)
      handle.focus({preventScroll: true})
      if (!hover) grip = get() - where(event)
      move(where(event) + grip)
    })
    handle.addEventListener("pointermove", event => {
      if (hover || handle.hasPointerCapture(event.pointerId)) move(where(event) + grip)
    })
    if (!hover) handle.addEventListener("touchstart", event => event.preventDefault())  // or the page scrolls
    keys(handle, {
      ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10, Home: -1e6, End: 1e6,
    }, steps => move(wrap && Math.abs(steps) > 10 ? steps < 0 ? least : most : get() + steps * step))
    set(handle, {role: "slider", tabindex: 0, "aria-label": handle.dataset.label})
    this.updates.push(() => {
      if (dx || dy) place(handle, x + dx * get(), y + dy * get())
      set(handle, {
        "aria-valuenow": round(get()), "aria-valuemin": round(low(least)), "aria-valuemax": round(high(most)),
        "aria-valuetext": says(),
      })
    })
  }

  // A handle for each number, and one at their mean, which moves all alike.
  sliders(handles, all, numbers, says) {
    handles.forEach((handle, n) => this.slider(handle, {
      get: () => numbers[n], put: x => { numbers[n] = x }, says: () => `${number(numbers[n], 1)}, ${says()}`,
    }))
    const get = () => sum(numbers) / numbers.length
    this.slider(all, {
      get, says,
      put: to => {
        const by = to - get()
        numbers.forEach((x, n) => { numbers[n] = round(x + by) })
      },
      low: least => get() + least - Math.min(...numbers),
      high: most => get() + most - Math.max(...numbers),
    })
  }

  // What each button does, and then says.
  buttons(press, says) {
    this.querySelectorAll("button").forEach((button, n) => button.addEventListener("click", () => {
      press(n)
      this.refresh()
      set(this.querySelector("output"), {text: says()})
    }))
  }
}

const kinds = {
  softmax(figure, {scores, presets}) {
    const says = () => `scores ${list(scores, 1)}, weights ${list(softmax(scores))}`
    figure.sliders(figure.parts("score"), figure.part("all"), scores, says)
    figure.buttons(n => Object.assign(scores, presets[n]), says)
    return () => {
      const weights = softmax(scores)
      figure.each("number", j => ({text: number(scores[j], 1)}))
      figure.each("bar", j => ({height: weights[j]}))
      figure.each("weight", j => ({text: number(weights[j]), y: 289 - 80 * weights[j]}))
    }
  },

  turn(figure, {K, V, angle, length, unit, centre: [x, y], scale, origin: [left, low]}) {
    const tip = figure.part("tip")
    const query = () => [Math.cos(radians(angle)) * length, Math.sin(radians(angle)) * length]
    const scores = () => K.map(k => dot(k, query()) / Math.SQRT2)
    const says = of => () => `${of()}, weights ${list(softmax(scores()))}`
    figure.slider(tip, {
      get: () => angle, put: to => { angle = to }, says: says(() => `${number(angle, 0)} degrees`), wrap: 360,
      at: point => Math.atan2(y - point.y, point.x - x) * 180 / Math.PI,
    })
    figure.slider(figure.part("length"), {
      get: () => length, put: to => { length = to }, says: says(() => number(length, 1)),
    })
    return () => {
      const q = query(), weights = softmax(scores()), o = [0, 1].map(n => dot(weights, V.map(v => v[n])))
      const to = left + scale * o[0], down = low - scale * o[1], far = unit * length, neck = Math.max(far - 10, 0)
      set(figure.part("query"), {transform: `rotate(${-angle})`, d: `M0-2H${neck}V-6L${far} 0L${neck} 6V2H0Z`})
      place(tip, x + unit * q[0], y - unit * q[1])
      place(figure.part("output"), to, down)
      figure.each("score", j => ({text: number(scores()[j])}))
      figure.each("weight", j => ({text: number(weights[j])}))
      figure.each("pair", n => ({text: [`q = (${list(q)})`, `o = (${list(o)})`][n]}))
      figure.each("share", j => ({x2: to, y2: down, "stroke-width": 14 * weights[j]}))
    }
  },

  alignment(figure, {weights, source, target, without}) {
    let chosen = 0  // the number of a character, or 0 for all
    const strip = figure.part("strip"), frame = figure.part("frame"), width = frame.width.baseVal.value
    const row = () => weights[chosen - 1] || source.map(() => 0)
    const shown = (weight, j) => weight < 0.05 ? [] : `${source[j]} ${number(weight)}`
    const says = () => chosen ? `${target[chosen - 1]}, looked at ${row().flatMap(shown)}; without the darkest ${
      without[chosen - 1]}` : "all characters"
    figure.slider(strip, {
      get: () => chosen, put: to => { chosen = to }, says, hover: true,
      at: point => clamp(Math.ceil((point.x - strip.x.baseVal.value) / width), 1, target.length),
    })
    figure.buttons(() => { chosen = 0 }, says)
    return () => {
      figure.parts("look").forEach(line => set(line, {opacity: !chosen || +line.dataset.row === chosen - 1 ? 1 : 0.1}))
      figure.each("box", j => ({fill: shade(row()[j])}))
      figure.each("letter", j => ({fill: ink(row()[j])}))
      figure.each("weight", j => ({text: row()[j] < 0.05 ? "" : number(row()[j])}))
      set(frame, {x: strip.x.baseVal.value + width * (chosen - 1), opacity: +!!chosen})
    }
  },

  mask(figure, {scores, words, now, masks}) {
    const places = figure.parts("place"), size = words.length
    const row = i => softmax(scores[i], now[i]), at = n => [Math.floor(n / size), n % size]
    const enter = n => places.forEach((each, m) => set(each, {tabindex: (m === n) - 1}))  // one stop for Tab
    places.forEach((each, n) => {
      const [i, j] = at(n)
      const go = (down, right) => {
        const next = clamp(i + down, 0, size - 1) * size + clamp(j + right, 0, size - 1)
        enter(next)
        places[next].focus({preventScroll: !down && !right})
      }
      const toggle = () => {
        go(0, 0)
        now[i][j] = 1 - now[i][j]
        figure.refresh()
        set(figure.querySelector("output"), {text: `${words[i]}: weights ${list(row(i))}`})
      }
      set(each, {role: "checkbox"})
      each.addEventListener("click", toggle)
      keys(each, {
        ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0], Home: [0, -size], End: [0, size],
        " ": [], Enter: [],
      }, way => way.length ? go(...way) : toggle())
    })
    enter(0)
    figure.buttons(n => { now = structuredClone(masks[n]) },
      () => `${now.flat().filter(Boolean).length} of ${size * size} places are open`)
    return () => {
      const buttons = figure.querySelectorAll("button")
      buttons.forEach((button, n) => set(button, {"aria-pressed": `${masks[n]}` === `${now}`}))
      figure.each("sum", i => ({text: number(sum(row(i)))}))
      places.forEach((each, n) => {
        const [i, j] = at(n), may = now[i][j], weight = row(i)[j]
        const [cell, cross, text] = each.children
        set(cell, {fill: may ? shade(weight) : "#eef0f2"})
        set(cross, {opacity: 1 - may})
        set(text, {text: number(weight), fill: may ? ink(weight) : "none"})
        set(each, {"aria-checked": !!may, "aria-label": `${words[i]} looks at ${words[j]}, weight ${number(weight)}`})
      })
    }
  },

  rotary(figure, {at, degrees, centre: [x, y], tips}) {
    const apart = () => degrees * (at[0] - at[1]), product = () => number(Math.cos(radians(apart())), 3)
    const says = () => `query at ${at[0]}, key at ${at[1]}, product ${product()}`
    figure.sliders(figure.parts("at"), figure.part("both"), at, says)
    return () => {
      const turn = n => radians(degrees * at[n])
      const lines = [`distance ${number(at[0] - at[1], 0)}`, `angle ${number(apart(), 0)}°`, `q · k = ${product()}`]
      figure.each("arrow", n => ({transform: `rotate(${-degrees * at[n]})`}))
      figure.each("tip", n => ({x: x + tips[n] * Math.cos(turn(n)), y: y - tips[n] * Math.sin(turn(n)) + 4.5}))
      figure.each("says", n => ({text: lines[n]}))
    }
  },

  // A slider, and what the part of each name is given for each of its positions.
  steps(figure, {now, shown}) {
    figure.slider(figure.part("step"), {get: () => now, put: to => { now = to }, says: () => shown.says[now].text})
    return () => Object.entries(shown).forEach(([name, values]) => set(figure.part(name), values[now]))
  },
}

// A figure that is met before the page is read is empty.
const begin = () => customElements.define("touch-figure", TouchFigure)
if (document.readyState === "loading") addEventListener("DOMContentLoaded", begin)
else begin()
}
