// Bytes from where a program runs: the file system in Node, `fetch` in a browser, decompressed where they are gzip. The
// one place in this package that knows about platforms. Read next: idx.ts, csv.ts.
import { ValueError } from '@nabla/engine'

interface FileSystem {
  readFile(path: string | URL): Promise<Uint8Array>
}

/**
 * Reads a file (Node) or a URL (anywhere). Gzip is recognised by its first bytes and decompressed.
 * `new URL('data.csv', import.meta.url)` names a file beside a module in Node and in browsers alike.
 * @throws ValueError when it cannot be read or is no valid gzip
 */
export async function readBytes(path: string | URL): Promise<Uint8Array> {
  if (!(path instanceof URL) && (typeof path !== 'string' || path === ''))
    throw new ValueError(`readBytes: a path or URL is needed; got ${String(path)}`)
  return decompress(await readRaw(String(path)), String(path))
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
    if (files !== undefined && !isUrl) {
      const bytes = await files.readFile(path.startsWith('file:') ? new URL(path) : path)
      // Node's Buffer is a Uint8Array whose `slice` does not copy; what leaves here is a plain one.
      return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
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
