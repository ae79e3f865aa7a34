// How a peer says that it cannot do something: throw skip('why').

/** An error that the table prints as a reason instead of a failure. */
export function skip(reason) {
  return Object.assign(new Error(reason), { code: 'ERR_SKIPPED' })
}
