"""Panel and live answers for everybody: by the keyboard, with a screen reader, in each theme, enlarged, narrow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.answers import chats, paragraphs, words
from tests.browser.lab import WAIT_MS
from tests.browser.test_panel import PANEL, PanelOf, opened, said
from tests.double import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.browser.lab import NotebookPage
    from tests.double import ScriptedServer

    Servers = Callable[..., ScriptedServer]
    Notebooks = Callable[..., NotebookPage]

THEMES = ("JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast")
OURS = ".ollama-magic-panel, .ollama-magic-live, .jp-OutputArea-output:has(small)"
RATIO = 4.5
WEAR = """async theme => { await window.jupyterapp.commands.execute('apputils:change-theme', {theme});
    while (document.body.dataset.jpThemeName !== theme) await new Promise(done => requestAnimationFrame(done)); }"""
# Texts that are seen, with too little contrast between them and what is behind them. Code has the theme's own colours.
FAINT = """([ours, least]) => {
    const rgba = text => { const found = (text.match(/[\\d.]+/g) ?? []).map(Number);
        return text.startsWith('color(srgb') ? [...found.slice(0, 3).map(x => x * 255), found[3] ?? 1]
            : [...found.slice(0, 3), found[3] ?? 1]; };
    const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a)];
    const behind = node => node ? over(rgba(getComputedStyle(node).backgroundColor), behind(node.parentElement))
        : [255, 255, 255];
    const light = rgb => { const [r, g, b] = rgb.map(x => x / 255).map(x => x <= .04045 ? x / 12.92
        : ((x + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
    const shown = node => { const box = node.getBoundingClientRect(), style = getComputedStyle(node);
        return box.width > 2 && box.height > 2 && style.visibility === 'visible' && style.opacity !== '0'; };
    const faint = new Set();
    for (const root of document.querySelectorAll(ours)) for (const node of root.querySelectorAll('*')) {
        const own = [...node.childNodes].some(one => one.nodeType === 3 && one.data.trim()) || node.placeholder;
        if (!own || !shown(node) || node.closest('.highlight, mjx-container')) continue;
        const pseudo = node.placeholder ? '::placeholder' : undefined, ground = behind(node);
        const ink = over(rgba(getComputedStyle(node, pseudo).color), ground);
        const [a, b] = [light(ink), light(ground)].sort((x, y) => y - x), ratio = (a + .05) / (b + .05);
        if (ratio < least) faint.add(`${node.className || node.tagName}: ${ratio.toFixed(2)}`);
    }
    return [...faint]; }"""
WIDE = """ours => [...document.querySelectorAll(ours)].filter(node => node.scrollWidth > node.clientWidth + 1
    && getComputedStyle(node).overflowX !== 'auto').map(node => node.className)"""
OUTSIDE = """() => { const panel = document.querySelector('.ollama-magic-panel').getBoundingClientRect();
    return [...document.querySelectorAll('.ollama-magic-panel :is(button, select, textarea)')]
        .filter(node => node.offsetParent).map(node => [node.textContent || node.title, node.getBoundingClientRect()])
        .filter(([_, box]) => box.width && (box.left < panel.left - 1 || box.right > panel.right + 1))
        .map(([name]) => name); }"""
MOVING = """() => document.getAnimations().map(one => one.effect.target)
    .filter(node => node?.closest('.ollama-magic-panel, .ollama-magic-live')).map(node => node.className)"""
FOCUS = """() => { const node = document.activeElement, said = node.tagName === 'SELECT' ? '' : node.textContent.trim();
    return [node.tagName, node.className, node.getAttribute('aria-label') || said || node.title,
        getComputedStyle(node).outlineStyle, !!node.closest('.ollama-magic-panel')]; }"""


@pytest.fixture
def panel(demo_server: Servers, notebook: Notebooks) -> PanelOf:
    """A panel with two turns, the second a table."""
    page = notebook(demo_server(pace=0), "%%chat\nHello", PANEL)
    page.run(1)
    page.run(2)
    panel = PanelOf(page)
    panel.ask("Compare lists and tuples in a table.")
    page.page.wait_for_function("document.querySelectorAll('.ollama-magic-doings').length >= 2", timeout=WAIT_MS)
    page.wait_idle()
    return panel


def tabs(page: Page, most: int = 30) -> list[tuple[str, str]]:
    """What Tab reaches one after the other, inside the panel: its tag and its name."""
    found = []
    for _ in range(most):
        tag, classes, name, outline, inside = page.evaluate(FOCUS)
        if not inside:
            break
        assert outline != "none" or tag == "TEXTAREA", classes  # whose border is drawn instead
        found.append((tag, " ".join(name.split())))
        page.keyboard.press("Tab")
    return found


def test_for_everybody(panel: PanelOf) -> None:
    """The keyboard reaches all, everything has a name and enough contrast, and nothing is cut when it is enlarged."""
    page = panel.page.page
    by_keyboard_alone(panel)
    has_names(page)
    for theme in THEMES:
        page.evaluate(WEAR, theme)
        assert page.evaluate(FAINT, [OURS, RATIO]) == [], theme
    page.evaluate(WEAR, THEMES[0])
    fits_when_enlarged(page)
    assert panel.page.errors == []


def by_keyboard_alone(panel: PanelOf) -> None:
    """Tab goes through menus, buttons, turns and box; Enter edits a turn, Escape leaves it, and a question is asked."""
    page = panel.page.page
    panel.root.get_by_role("combobox").first.focus()
    reached = tabs(page)
    names = [name for _, name in reached]
    assert [tag for tag, _ in reached].count("SELECT") == 2
    for wanted in ("New", "Undo", "Conversation", "Edit", "Ask again", "Attach", "Send"):
        assert any(wanted in name for name in names), (wanted, names)
    panel.root.get_by_role("button", name="Edit").first.focus()
    page.keyboard.press("Enter")
    editor = panel.root.locator(".ollama-magic-turn .ollama-magic-draft textarea").first
    editor.wait_for()
    editor.focus()
    page.keyboard.press("Escape")
    editor.wait_for(state="detached")
    panel.ask("By the keyboard.")
    panel.wait("By the keyboard.")


def has_names(page: Page) -> None:
    """Each control has a name for a screen reader, and so have the panel and its list of turns."""
    bare = page.evaluate("""() => [...document.querySelectorAll('.ollama-magic-panel :is(button, select, textarea)')]
        .filter(node => node.offsetParent && !node.getAttribute('aria-label'))
        .filter(node => node.tagName !== 'BUTTON' || !node.textContent.trim()).map(node => node.outerHTML)""")
    assert bare == []
    assert page.get_by_role("region", name="Chat with a language model").count() == 1
    assert page.get_by_role("combobox", name="Model").count() == 1
    assert page.get_by_role("combobox", name="Conversation").count() == 1
    assert page.get_by_role("button", name="Send", exact=True).count() == 1


def fits_when_enlarged(page: Page) -> None:
    """At 200 % in a window of 1280 pixels, and in a narrow one, no control is outside the panel, no text cut off."""
    page.evaluate("window.jupyterapp.shell.collapseLeft()")
    for width in (640, 420):
        page.set_viewport_size({"width": width, "height": 700})
        page.wait_for_timeout(300)
        assert page.evaluate(OUTSIDE) == [], width
        assert page.evaluate(WIDE, ".ollama-magic-panel") == [], width


def test_the_focus_follows(demo_server: Servers, notebook: Notebooks) -> None:
    """Edit leads into the box, Escape back to the button, and Enter to the box of the next prompt."""
    server = demo_server(pace=0, answers=said)
    page = notebook(server, PANEL)
    panel = opened(page, 1)
    panel.ask("one")
    panel.wait("You said: one")
    keys = page.page.keyboard
    panel.button("Edit").focus()
    keys.press("Enter")
    page.page.wait_for_function("document.activeElement.value === 'one'")
    keys.press("Escape")
    page.page.wait_for_function("document.activeElement.innerText === 'Edit'")
    keys.press("Enter")
    page.page.wait_for_function("document.activeElement.value === 'one'")
    keys.type(" more")
    keys.press("Enter")
    keys.type("next")
    panel.wait("You said: one more")
    assert panel.draft.input_value() == "next"
    assert page.errors == []


def test_a_live_answer_for_everybody(demo_server: Servers, notebook: Notebooks) -> None:
    """A live answer is announced, has contrast in each theme, keeps still, and its Stop is pressed by the keyboard."""
    server = demo_server(pace=60, faults=[Fault("script", script=words(paragraphs(400)))])
    page = notebook(server, "%%chat\nTell me everything.")
    page.page.emulate_media(reduced_motion="reduce")
    page.start(1)
    page.wait_text(1, "p3 is paragraph")
    stop = page.output(1).get_by_role("button", name="Stop")
    assert page.output(1).get_by_role("log").count() == 1
    for theme in THEMES:
        page.page.evaluate(WEAR, theme)
        assert page.page.evaluate(FAINT, [OURS, RATIO]) == [], theme
    assert page.page.evaluate(MOVING) == []
    page.page.evaluate(WEAR, THEMES[0])
    stop.focus()
    page.page.keyboard.press("Enter")
    page.wait_run(1)
    assert "stopped" in page.text(1)
    assert chats(server)[0].ended.wait(30)
    for theme in THEMES:
        page.page.evaluate(WEAR, theme)
        assert page.page.evaluate(FAINT, [OURS, RATIO]) == [], theme
    page.page.evaluate(WEAR, THEMES[0])
    assert page.errors == []
