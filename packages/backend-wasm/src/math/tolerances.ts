// What the fast forms promise against the exact result: |computed - exact| <= relative * |exact| + absolute. The absolute
// part covers results below 2^-126, which some functions flush to 0 and others round to a denormal. The accuracy test
// holds every function to its row; other tests may rely on it.

/** A bound on the error of a function. */
export interface Tolerance {
  readonly relative: number
  readonly absolute: number
}

const flushed = 2 ** -126
const denormal = 2 ** -149

/** The bounds by the engine's name of the function; `expNeg` is exp for x <= 0. */
export const tolerances: Readonly<Record<string, Tolerance>> = {
  exp: { relative: 2.5e-7, absolute: flushed },
  expNeg: { relative: 2.5e-7, absolute: flushed },
  exp2: { relative: 2.5e-7, absolute: flushed },
  expm1: { relative: 1.5e-7, absolute: denormal },
  sigmoid: { relative: 3e-7, absolute: flushed },
  log: { relative: 1.5e-7, absolute: denormal },
  log2: { relative: 3e-7, absolute: denormal },
  log10: { relative: 3e-7, absolute: denormal },
  log1p: { relative: 1.5e-7, absolute: denormal },
  sin: { relative: 2e-7, absolute: denormal },
  cos: { relative: 2e-7, absolute: denormal },
  tan: { relative: 4e-7, absolute: denormal },
  sinh: { relative: 4e-7, absolute: denormal },
  cosh: { relative: 3.5e-7, absolute: denormal },
  tanh: { relative: 4e-7, absolute: denormal },
  erf: { relative: 4e-7, absolute: denormal },
  sqrt: { relative: 1e-7, absolute: denormal },
  rsqrt: { relative: 1.5e-7, absolute: denormal },
  pow: { relative: 1e-7, absolute: denormal },
}
