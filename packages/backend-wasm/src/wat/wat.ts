// What code is while it is being written: nested arrays of the same shape as folded WebAssembly text, for example
// ['i32.add', ['local.get', '$x'], ['i32.const', 4]] for (i32.add (local.get $x) (i32.const 4)). Arrays rather than text,
// because there is nothing to parse: writing a kernel this way takes a fraction of what a text assembler needs.
// Read next: instructions.ts and builder.ts to write code, assembler.ts for the binary form, print.ts for text.

/**
 * A piece of code. An expression used at two places is computed at two places: name it with `FunctionBuilder.let` first.
 * Strings that are quoted in text keep their quotes here: ['export', '"run"'].
 */
export type Wat = string | number | readonly Wat[]

/**
 * A local variable of a function, which is also the expression that reads it: `f.set(i, i32.add(i, 4))`.
 * The type is known to the builder that made it.
 */
export type Local = readonly ['local.get', string]

/** Whether an expression merely reads a local, and so may be used many times at no cost. */
export function isLocal(code: Wat): code is Local {
  return Array.isArray(code) && code[0] === 'local.get'
}
