// What tests of native products share: the library of this machine, or why there is none, which is said aloud.
// Part of no build.
import { openLibrary, type ProductLibrary } from './library.ts'

/** The library that tests use; null, with a line on the console, where there is none. */
export function libraryForTests(): ProductLibrary | null {
  try {
    return openLibrary()
  } catch (error) {
    console.warn(`SKIPPED: tests of native products. ${(error as Error).message.split('\n').join(' ')}`)
    return null
  }
}
