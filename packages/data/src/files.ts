// Bytes from where a program runs: the file system in Node, `fetch` in a browser, decompressed where they are gzip. The
// one place in this package that knows about platforms. Read next: idx.ts, csv.ts.
import { ValueError } from '@nabla/engine'

interface FileSystem {
  readFile(path: string): Promise<Uint8Array>
}

/**
 * Reads a file (Node) or a URL (anywhere). Gzip is recognised by its first bytes and decompressed.
 * @throws ValueError when it cannot be read or is no valid gzip
 */
export async function readBytes(path: string): Promise<Uint8Array> {
  if (typeof path !== 'string' || path === '')
    throw new ValueError(`readBytes: a path or URL is needed; got ${String(path)}`)
  return decompress(await readRaw(path), path)
}

/** Decompresses gzip; other bytes come back as they are. @throws ValueError naming the file when it is damaged */
export async function decompress(bytes: Uint8Array, name: string): Promise<Uint8Array> {
  if (bytes.length < 2 || bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes
  try {
    const stream = new Blob([bytes as Uint8Array<ArrayBuffer>])
      .stream()
      .pipeThrough(new DecompressionStream('gzip'))
    return new Uint8Array(await new Response(stream).arrayBuffer())
  } catch (cause) {
    throw new ValueError(`${name}: damaged gzip data (${bytes.length} bytes)`, { cause })
  }
}

async function readRaw(path: string): Promise<Uint8Array> {
  const files = globalThis.process?.getBuiltinModule?.('node:fs/promises') as FileSystem | undefined
  const isUrl = /^(https?|data|blob):/.test(path)
  try {
    if (files !== undefined && !isUrl) return await files.readFile(path)
    const response = await fetch(path)
    if (!response.ok)
      throw new ValueError(`${path}: the server answered ${response.status} ${response.statusText}`)
    return new Uint8Array(await response.arrayBuffer())
  } catch (cause) {
    if (cause instanceof ValueError) throw cause
    throw new ValueError(
      `${path}: cannot be read (${cause instanceof Error ? cause.message : String(cause)})`,
      { cause },
    )
  }
}
