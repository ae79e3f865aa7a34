// Errors of a step, told with the step they come from. The error stays the one that was thrown, of its own class: a program
// may tell a ShapeError from others, and its stack points at the line that made it.

/** Adds to an error's message where it happened, and gives it back. */
export function sayWhere(error: unknown, where: string): unknown {
  if (!(error instanceof Error)) return error
  const before = error.message
  error.message = `${before} (${where})`
  // The stack quotes the message as it was, and the stack is what an uncaught error shows.
  if (error.stack !== undefined) error.stack = error.stack.replace(before, () => error.message)
  return error
}
