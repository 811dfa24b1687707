"""The one constant piece of script of a panel: keys, input methods, and a list that follows its tail.

It is never built from anything. What a front end does not run is done without: the Send button works alone.
"""

from __future__ import annotations

from html import escape

_SCRIPT = r"""
(function (me) {
  var tries = 0, count = 0, top = 0, sent = [], at = null, follow = true, keep = null, page = Date.now().toString(36);
  function find() {
    var panel = me.closest('.ollama-magic-panel'), turns = panel && panel.querySelector('.ollama-magic-turns');
    if (!turns || !turns.firstElementChild) { if (tries++ < 400) setTimeout(find, 25); return; }
    if (panel.dataset.ollamaMagic) return;
    panel.dataset.ollamaMagic = 'on';
    begin(panel, turns);
  }
  function begin(panel, turns) {
    panel.setAttribute('data-lm-suppress-shortcuts', 'true');
    panel.setAttribute('role', 'region');
    panel.setAttribute('aria-label', 'Chat with a language model');
    turns.setAttribute('role', 'group');
    turns.setAttribute('aria-label', 'Conversation');
    turns.tabIndex = 0;
    panel.addEventListener('keydown', function (e) { key(panel, e); }, true);
    panel.addEventListener('click', function (e) { click(panel, turns, e); }, true);
    panel.addEventListener('input', function (e) { at = null; fit(e.target); }, true);
    turns.addEventListener('scroll', function () {
      if (turns.scrollHeight - turns.scrollTop - turns.clientHeight < 48) follow = true;
      else if (turns.scrollTop < top) follow = false;
      top = turns.scrollTop;
    });
    new ResizeObserver(function () {
      if (keep !== null) turns.scrollTop = turns.scrollHeight - keep;
      else if (follow) turns.scrollTop = turns.scrollHeight;
      panel.querySelectorAll('.ollama-magic-draft textarea').forEach(fit);
    }).observe(turns.firstElementChild);
    turns.scrollTop = turns.scrollHeight;
    panel.querySelectorAll('.ollama-magic-draft textarea').forEach(fit);
  }
  function fit(area) {
    if (!area || area.tagName !== 'TEXTAREA' || area.dataset.fitted === area.value) return;
    area.dataset.fitted = area.value;
    area.style.height = 'auto';
    area.style.height = Math.min(area.scrollHeight + 2, 240) + 'px';
  }
  function told(area) { area.dispatchEvent(new Event('change', {bubbles: true})); fit(area); }
  function send(input) {
    var draft = input.querySelector('.ollama-magic-draft textarea'), text = draft.value;
    var outbox = input.querySelector('.ollama-magic-outbox textarea');
    if (!text.trim()) return;
    sent.push(text); at = null; follow = true; keep = null;
    var got = input.querySelector('.ollama-magic-got'), mark = page + '.' + count++;
    var waiting = input.ollamaMagic || [], last = waiting.map(function (one) { return one[0]; }).indexOf(got.title);
    input.ollamaMagic = waiting = waiting.slice(last + 1).concat([[mark, text]]);
    outbox.value = JSON.stringify(waiting);
    told(outbox);
    draft.value = ''; told(draft); draft.focus();
  }
  function recall(panel, draft, step) {
    var known = Array.prototype.map.call(panel.querySelectorAll('.ollama-magic-said'), function (one) {
      return one.dataset.said || one.textContent;
    });
    sent.forEach(function (text) { if (known.indexOf(text) < 0) known.push(text); });
    var next = (at === null ? known.length : at) + step;
    if (next < 0 || next > known.length) return false;
    at = next;
    draft.value = known[at] || '';
    fit(draft);
    draft.setSelectionRange(draft.value.length, draft.value.length);
    return true;
  }
  function key(panel, e) {
    var input = e.target.closest('.ollama-magic-input'), plain = !e.ctrlKey && !e.metaKey && !e.altKey;
    if (!input || e.target.tagName !== 'TEXTAREA' || e.isComposing || e.keyCode === 229 || !plain) return;
    var done = false;
    if (e.key === 'Enter' && !e.shiftKey) { send(input); done = true; }
    if (e.key === 'ArrowUp' && (!e.target.value || at !== null)) done = recall(panel, e.target, -1);
    if (e.key === 'ArrowDown' && at !== null) done = recall(panel, e.target, 1);
    var cancel = e.key === 'Escape' && input.querySelector('.ollama-magic-cancel');
    if (cancel) { cancel.click(); done = true; }
    if (done) { e.preventDefault(); e.stopPropagation(); }
  }
  function click(panel, turns, e) {
    var button = e.target.closest('button');
    if (!button) return;
    if (button.classList.contains('ollama-magic-send')) {
      e.preventDefault(); e.stopPropagation(); send(button.closest('.ollama-magic-input'));
    } else if (button.classList.contains('ollama-magic-earlier')) {
      keep = turns.scrollHeight - turns.scrollTop;
      setTimeout(function () { keep = null; }, 1500);
    }
  }
  find();
})(this)
"""

SNIPPET = f'<img src="data:," alt="" hidden onerror="{escape(" ".join(_SCRIPT.split()))}">'
