// Walking through the evaluation: buttons, a slider and the arrow keys.

const SECONDS_PER_STEP = 1.1;
const PLAY = "M2 3v10l6-5zM8 3v10l6-5z";
const PAUSE = "M4 3h3v10H4zM9 3h3v10H9z";

class SteppingView {
  constructor(model) {
    this.model = model;
    this.slider = find("step-slider");
    this.slider.max = model.stops.length - 1;
    this.buttons = {
      first: find("step-first"),
      back: find("step-back"),
      on: find("step-on"),
      last: find("step-last"),
      play: find("step-play"),
    };
    const moves = {
      first: () => 0,
      back: () => model.at - 1,
      on: () => model.at + 1,
      last: () => model.stops.length - 1,
    };
    for (const [name, target] of Object.entries(moves)) {
      this.buttons[name].addEventListener("click", () => this.go(target()));
    }
    this.buttons.play.addEventListener("click", () => (this.timer ? this.pause() : this.play()));
    this.slider.addEventListener("input", () => this.go(Number(this.slider.value)));
    document.addEventListener("keydown", (event) => this.key(event));
    model.listen((what) => {
      if (what === "step" || what === "values") this.draw();
    });
    this.draw();
  }

  go(at) {
    this.pause();
    this.model.go(at);
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || isTyping(event.target)) return;
    const to = {
      ArrowRight: this.model.at + 1,
      ArrowLeft: this.model.at - 1,
      Home: 0,
      End: this.model.stops.length - 1,
    }[event.key];
    if (to === undefined) return;
    const scrolls =
      event.target.scrollWidth > event.target.clientWidth &&
      event.target.matches(".frame:focus-visible, .body:focus-visible");
    if (scrolls) return;
    event.preventDefault();
    this.go(to);
  }

  play() {
    if (this.model.at === this.model.stops.length - 1) this.model.go(0);
    this.timer = setInterval(() => {
      this.model.go(this.model.at + 1);
      if (this.model.at === this.model.stops.length - 1) this.pause();
    }, SECONDS_PER_STEP * 1000);
    this.draw();
  }

  pause() {
    clearInterval(this.timer);
    this.timer = null;
    this.draw();
  }

  draw() {
    const { model, buttons } = this;
    const { phase } = model.stop;
    const last = model.stops.length - 1;
    this.slider.value = model.at;
    this.slider.setAttribute("aria-valuetext", `step ${model.at} of ${last}, ${this.words()}`);
    for (const [name, isDone] of [
      ["first", model.at === 0],
      ["back", model.at === 0],
      ["on", model.at === last],
      ["last", model.at === last],
    ]) {
      buttons[name].setAttribute("aria-disabled", String(isDone));
    }
    buttons.play.setAttribute("aria-pressed", String(Boolean(this.timer)));
    buttons.play.setAttribute("aria-label", this.timer ? "Stop" : "Play all steps");
    buttons.play.querySelector("path").setAttribute("d", this.timer ? PAUSE : PLAY);
    document.body.dataset.phase = phase;
    find("step-count").textContent = `${model.at} / ${last}`;
    find("step-phase").textContent = {
      given: "given",
      forward: "forward sweep",
      reverse: "reverse sweep",
      update: "update",
      result: "result",
    }[phase];
    find("step-formula").replaceChildren(this.formula());
    find("announcer").textContent = `Step ${model.at} of ${last}: ${this.words()}`;
  }

  words() {
    const { model } = this;
    const { phase, row: id } = model.stop;
    if (id === undefined)
      return phase === "given"
        ? "the inputs are given"
        : `the result is ${model.text(model.byId.get(model.data.output).primal)}`;
    const row = model.byId.get(id);
    const first = (part) => model.text(part).split("\n")[0];
    if (phase === "forward") return `forward sweep, ${model.equation(row)} = ${first(row.primal)}`;
    if (phase === "reverse")
      return `reverse sweep, adjoint of ${row.name} = ${row.derivative.text.slice(0, 200)} = ${first(row.derivative)}`;
    return `update of ${row.name}`;
  }

  formula() {
    const { model } = this;
    const { phase, row: id } = model.stop;
    if (id === undefined) return phase === "given" ? "the inputs are given" : "all values and derivatives";
    const row = model.byId.get(id);
    const part = { forward: row.primal, reverse: row.derivative, update: row.update }[phase];
    const left = [labelNode(id, phase === "reverse" ? model.accent : null)];
    const sign = mathml("mo", {}, phase === "update" ? "←" : "=");
    const nodes = [...left, sign, ...model.formula(row, part, labelNode, 500)];
    const text = model.text(part);
    if (!model.isArray(row) && !text.includes("\n") && text !== part.text && text.length < 24)
      nodes.push(mathml("mo", {}, "="), numberNode(text));
    return math(nodes);
  }
}
