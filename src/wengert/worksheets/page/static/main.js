// The page: reads its data and puts the views together.

const THEMES = ["light", "dark"];
const prefersDark = matchMedia("(prefers-color-scheme: dark)");

/** The reader's choice, which a sandbox may refuse to keep. */
function keptTheme(chosen) {
  try {
    if (chosen) localStorage.setItem("wengert-theme", chosen);
    return localStorage.getItem("wengert-theme");
  } catch {
    return null;
  }
}

function connectTheme(model) {
  const button = find("theme");
  const set = (theme) => {
    document.documentElement.dataset.theme = theme;
    button.setAttribute("aria-pressed", String(theme === "dark"));
    model?.changed("hover");
  };
  const kept = keptTheme();
  set(THEMES.includes(kept) ? kept : prefersDark.matches ? "dark" : "light");
  prefersDark.addEventListener("change", () => {
    if (!keptTheme()) set(prefersDark.matches ? "dark" : "light");
  });
  button.addEventListener("click", () => {
    const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    keptTheme(theme);
    set(theme);
  });
}

function showNotes(data) {
  find("heading").textContent = data.heading;
  const notes = data.footnotes.map((note, k) => html("p", { id: `note-${k + 1}` }, `[${k + 1}] ${note}`));
  find("footnotes").replaceChildren(...notes);
}

const data = JSON.parse(find("worksheet").textContent);
const model = new Model(data);
connectTheme(model);
showNotes(data);
const folding = new Folding(model);
const inputs = new InputsView(model);
new GraphView(model, folding);
new TableView(model);
new DerivationView(model);
new DetailsView(model, inputs);
new SourceView(model);
new SteppingView(model);
new SearchView(model, folding);
