/** Draws copy buttons on the code blocks of answers, live and settled. */

export function drawCopyButtons() {}
