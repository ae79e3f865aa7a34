// Files, where there are any: Node's file system is asked for at run time, because this package also runs in browsers.
import { BackendError, ValueError } from '@nabla/engine'

/** The part of Node's file system that is used here. */
interface FileSystem {
  existsSync(path: string): boolean
  statSync(path: string): { readonly size: number }
  writeFileSync(path: string, text: string): void
  appendFileSync(path: string, text: string): void
  readonly promises: {
    mkdir(path: string, options: { recursive: true }): Promise<unknown>
    open(path: string, flags: 'w'): Promise<FileHandle>
    readFile(path: string): Promise<Uint8Array>
    rename(from: string, to: string): Promise<void>
    rm(path: string, options: { force: true }): Promise<void>
  }
}

interface FileHandle {
  writeFile(bytes: Uint8Array): Promise<void>
  sync(): Promise<void>
  close(): Promise<void>
}

/** @throws BackendError where there is no file system, naming who asked for one */
export function requireFiles(caller: string): FileSystem {
  const files = globalThis.process?.getBuiltinModule?.('node:fs')
  if (files !== undefined) return files
  throw new BackendError(
    `${caller}: there is no file system here. In a browser keep the bytes of encodeSafetensors() yourself`,
  )
}

let written = 0

/**
 * Writes a file whole or not at all: into another one beside it, which then takes its name. Missing folders are made.
 * @throws ValueError naming the path and what the system said
 */
export async function writeFileAtomically(caller: string, path: string, bytes: Uint8Array): Promise<void> {
  const files = requireFiles(caller).promises
  const temporary = `${path}.${globalThis.process.pid}-${++written}.tmp`
  try {
    const { dirname } = globalThis.process.getBuiltinModule('node:path')
    await files.mkdir(dirname(path), { recursive: true })
    const file = await files.open(temporary, 'w')
    try {
      await file.writeFile(bytes)
      // Without this a power cut may leave the new name on a file whose content never reached the disk.
      await file.sync()
    } finally {
      await file.close()
    }
    await files.rename(temporary, path)
  } catch (error) {
    await files.rm(temporary, { force: true }).catch(() => {})
    throw new ValueError(`${caller}: cannot write '${path}': ${(error as Error).message}`, { cause: error })
  }
}

/** @throws ValueError naming the path and what the system said */
export async function readFile(caller: string, path: string): Promise<Uint8Array> {
  try {
    return await requireFiles(caller).promises.readFile(path)
  } catch (error) {
    if (error instanceof BackendError) throw error
    throw new ValueError(`${caller}: cannot read '${path}': ${(error as Error).message}`, { cause: error })
  }
}
