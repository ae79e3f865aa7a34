// How a peer says that it cannot do something: throw skip('why').

/** An error that the table prints as a reason instead of a failure. */
export function skip(reason) {
  return Object.assign(new Error(reason), { code: 'ERR_SKIPPED' })
}

/** Why some peers do not generate. */
export const withoutCache = 'generation with a cache of keys and values is not written for this peer'
