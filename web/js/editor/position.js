/** The place of a line and column, both from 1, kept inside the text. */
export function position(state, line, column) {
  const { from, length } = state.doc.line(Math.min(Math.max(line, 1), state.doc.lines));
  return from + Math.min(Math.max(column - 1, 0), length);
}
