// The one constant piece of script of a panel: keys, input methods, and a list that follows its tail.
// It is never built from anything. What a front end does not run is done without: the Send button works alone.
(element => {
  const page = Date.now().toString(36);
  const [MAIN, EDITOR] = [':scope > .ollama-magic-input .ollama-magic-draft textarea', '.ollama-magic-draft textarea'];
  const EDIT = '.ollama-magic-doings button:first-of-type';
  const sent = [];
  let [tries, count, top] = [0, 0, 0];
  let [recalled, keep] = [null, null];
  let follow = true;

  const find = () => {
    const panel = element.closest('.ollama-magic-panel');
    const turns = panel?.querySelector('.ollama-magic-turns');
    if (!turns?.firstElementChild) {
      if (tries++ < 400) setTimeout(find, 25);
    } else if (!panel.dataset.ollamaMagic) {
      panel.dataset.ollamaMagic = 'on';
      begin(panel, turns);
    }
  };

  const begin = (panel, turns) => {
    panel.setAttribute('data-lm-suppress-shortcuts', 'true');
    panel.setAttribute('role', 'region');
    panel.setAttribute('aria-label', 'Chat with a language model');
    turns.setAttribute('role', 'group');
    turns.setAttribute('aria-label', 'Conversation');
    turns.tabIndex = 0;
    panel.addEventListener('keydown', event => key(panel, event), true);
    panel.addEventListener('click', event => click(turns, event), true);
    panel.addEventListener('input', event => { recalled = null; fit(event.target); }, true);
    turns.addEventListener('scroll', () => {
      if (turns.scrollHeight - turns.scrollTop - turns.clientHeight < 48) follow = true;
      else if (turns.scrollTop < top) follow = false;
      top = turns.scrollTop;
    });
    new ResizeObserver(() => {
      if (keep !== null) turns.scrollTop = turns.scrollHeight - keep;
      else if (follow) turns.scrollTop = turns.scrollHeight;
      fitAll(panel);
    }).observe(turns.firstElementChild);
    turns.scrollTop = turns.scrollHeight;
    fitAll(panel);
  };

  // Their labels are empty, and a screen reader would read those instead of the title.
  const name = panel => {
    for (const one of panel.querySelectorAll(':is(select, textarea)[title]:not([aria-label])')) {
      one.setAttribute('aria-label', one.title);
    }
  };

  const fitAll = panel => {
    name(panel);
    for (const area of panel.querySelectorAll('.ollama-magic-draft textarea')) fit(area);
  };

  const fit = area => {
    if (area?.tagName !== 'TEXTAREA' || area.dataset.fitted === area.value) return;
    area.dataset.fitted = area.value;
    area.style.height = 'auto';
    area.style.height = `${Math.min(area.scrollHeight + 2, 240)}px`;
  };

  const notify = area => {
    area.dispatchEvent(new Event('change', { bubbles: true }));
    fit(area);
  };

  const send = input => {
    const draft = input.querySelector('.ollama-magic-draft textarea');
    const outbox = input.querySelector('.ollama-magic-outbox textarea');
    const text = draft.value;
    if (!text.trim()) return;
    sent.push(text);
    [recalled, follow, keep] = [null, true, null];
    const confirmed = input.querySelector('.ollama-magic-got').title;
    const waiting = input.ollamaMagic ?? [];
    const last = waiting.findIndex(([mark]) => mark === confirmed);
    input.ollamaMagic = [...waiting.slice(last + 1), [`${page}.${count++}`, text]];
    outbox.value = JSON.stringify(input.ollamaMagic);
    notify(outbox);
    draft.value = '';
    notify(draft);
    const panel = input.closest('.ollama-magic-panel');
    // An editor is about to go.
    (input.closest('.ollama-magic-turn') ? panel.querySelector(MAIN) : draft).focus();
  };

  // Edit and Cancel draw a turn anew, and the focus would be nowhere: it follows to the box, and back to the button.
  const follows = (turn, wanted) => {
    const drawn = new MutationObserver(() => {
      const found = turn.querySelector(wanted);
      if (!found || (wanted !== EDITOR && turn.querySelector(EDITOR))) return;
      drawn.disconnect();
      found.focus();
      found.setSelectionRange?.(found.value.length, found.value.length);
    });
    drawn.observe(turn, { childList: true, subtree: true });
    setTimeout(() => drawn.disconnect(), 1500);
  };

  const recall = (panel, draft, step) => {
    const known = Array.from(panel.querySelectorAll('.ollama-magic-said'), one => one.dataset.said || one.textContent);
    known.push(...sent.filter(text => !known.includes(text)));
    const next = (recalled ?? known.length) + step;
    if (next < 0 || next > known.length) return false;
    recalled = next;
    draft.value = known[next] ?? '';
    fit(draft);
    draft.setSelectionRange(draft.value.length, draft.value.length);
    return true;
  };

  const key = (panel, event) => {
    const input = event.target.closest('.ollama-magic-input');
    const modified = event.ctrlKey || event.metaKey || event.altKey;
    const composing = event.isComposing || event.keyCode === 229;
    if (!input || event.target.tagName !== 'TEXTAREA' || composing || modified) return;
    let done = false;
    if (event.key === 'Enter' && !event.shiftKey) { send(input); done = true; }
    if (event.key === 'ArrowUp' && (!event.target.value || recalled !== null)) done = recall(panel, event.target, -1);
    if (event.key === 'ArrowDown' && recalled !== null) done = recall(panel, event.target, 1);
    const cancel = event.key === 'Escape' && input.querySelector('.ollama-magic-cancel');
    if (cancel) { cancel.click(); done = true; }
    if (done) { event.preventDefault(); event.stopPropagation(); }
  };

  const click = (turns, event) => {
    const button = event.target.closest('button');
    if (button?.classList.contains('ollama-magic-send')) {
      event.preventDefault();
      event.stopPropagation();
      send(button.closest('.ollama-magic-input'));
    } else if (button?.matches(`${EDIT}, .ollama-magic-cancel`)) {
      follows(button.closest('.ollama-magic-turn'), button.matches(EDIT) ? EDITOR : EDIT);
    } else if (button?.classList.contains('ollama-magic-earlier')) {
      keep = turns.scrollHeight - turns.scrollTop;
      setTimeout(() => { keep = null; }, 1500);
    }
  };

  find();
})(this);
