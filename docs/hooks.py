"""What MkDocs calls while it builds the site: the pages, drawings and formulas that programs write."""

from __future__ import annotations

import re
from typing import Any

from generators import api, mathematics, notebooks, operation_plots, operations, pictures
from generators.docstrings import FOR_TESTS, link
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

MENTION = re.compile(r"<code>(wengert\.[\w.]+)(\(\))?</code>(?!</a>)")
HEADING = re.compile(r"<h[1-6].*?</h[1-6]>", re.DOTALL)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """The navigation learns of the pages that are written here."""
    subjects = [{operations.title(name): f"operations/{name}.md"} for name in operations.subjects()]
    written: dict[str, list[Any]] = {
        "Notebooks": ["notebooks/index.md", *(f"notebooks/{name}.md" for name in notebooks.names())],
        "Operations": ["operations/index.md", *subjects],
        "API": [
            "api/index.md",
            *({title: f"api/{page}.md"} for page, (title, _) in api.TOP.items()),
            *({f"wengert.{name}": f"api/{name}.md"} for name in api.MODULES),
            {"Command line": "api/command-line.md"},
        ],
    }
    config.nav = [
        {title: written.get(title, entries) for title, entries in section.items()}
        for section in config.nav or []
    ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Pages and drawings that no one wrote by hand."""
    found = [*operations.pages(), *api.pages(), *notebooks.pages(), *notebooks.files(), *pictures.files()]
    found += [
        (f"operations/plots/{op.name}.svg", operation_plots.plot(op))
        for ops in operations.subjects().values()
        for op in ops
        if operation_plots.has_plot(op)
    ]
    found.append(("assets/mathematics.css", mathematics.style_sheet()))
    for address, content in found:
        files.append(File.generated(config, address, content=content))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """What only the test of an example needs is left out."""
    return FOR_TESTS.sub("", markdown)


def on_page_content(html: str, **_: Any) -> str:
    """Formulas become MathML, and the names of this package links to where they are described."""
    headings = HEADING.findall(html)
    linked = MENTION.sub(_linked, html)
    for before, after in zip(headings, HEADING.findall(linked), strict=True):
        linked = linked.replace(after, before, 1) if after != before else linked
    return notebooks.with_outputs(mathematics.typeset(linked))


def _linked(found: re.Match[str]) -> str:
    written = link(found[1])
    return (
        written.replace("</code>", f"{found[2] or ''}</code>") if written.startswith("<autoref") else found[0]
    )
