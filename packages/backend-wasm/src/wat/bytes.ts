// A growing buffer of bytes with the number encodings of the WebAssembly binary format. One instance serves all modules:
// growing and throwing away a buffer for each kernel would cost more than writing it.

/** Bytes written one after another. */
export class ByteWriter {
  private bytes = new Uint8Array(1 << 14)
  private readonly scratch = new DataView(new ArrayBuffer(8))
  /** Where the next byte goes. */
  position = 0

  /** One byte. */
  byte(value: number): void {
    if (this.position === this.bytes.length) this.reserve(1)
    this.bytes[this.position++] = value
  }

  /** Unsigned LEB128, up to 32 bits. */
  unsigned(value: number): void {
    let rest = value >>> 0
    while (rest > 0x7f) {
      this.byte((rest & 0x7f) | 0x80)
      rest >>>= 7
    }
    this.byte(rest)
  }

  /** Signed LEB128 of a 32-bit integer. */
  signed(value: number): void {
    let rest = value | 0
    for (;;) {
      const low = rest & 0x7f
      rest >>= 7
      const signBit = (low & 0x40) !== 0
      if ((rest === 0 && !signBit) || (rest === -1 && signBit)) return this.byte(low)
      this.byte(low | 0x80)
    }
  }

  /** Signed LEB128 of a 64-bit integer. */
  signed64(value: bigint): void {
    let rest = BigInt.asIntN(64, value)
    for (;;) {
      const low = Number(rest & 0x7fn)
      rest >>= 7n
      const signBit = (low & 0x40) !== 0
      if ((rest === 0n && !signBit) || (rest === -1n && signBit)) return this.byte(low)
      this.byte(low | 0x80)
    }
  }

  /** A little-endian integer of one, two or four bytes. */
  integer(value: number, width: 1 | 2 | 4): void {
    for (let i = 0; i < width; i++) this.byte((value >>> (8 * i)) & 0xff)
  }

  /** A little-endian 64-bit integer. */
  integer64(value: bigint): void {
    this.scratch.setBigInt64(0, BigInt.asIntN(64, value), true)
    this.copyScratch(8)
  }

  /** A float32, little-endian. */
  float32(value: number): void {
    this.scratch.setFloat32(0, value, true)
    this.copyScratch(4)
  }

  /** A float64, little-endian. */
  float64(value: number): void {
    this.scratch.setFloat64(0, value, true)
    this.copyScratch(8)
  }

  /** A length and the characters of an ASCII string. */
  name(text: string): void {
    this.unsigned(text.length)
    for (let i = 0; i < text.length; i++) this.byte(text.charCodeAt(i))
  }

  /** Whatever `write` writes, preceded by its size in bytes. */
  sized(write: () => void): void {
    const start = this.position
    write()
    const size = this.position - start
    const width = unsignedWidth(size)
    this.reserve(width)
    this.bytes.copyWithin(start + width, start, this.position)
    this.position = start
    this.unsigned(size)
    this.position = start + width + size
  }

  /** A copy of all bytes written since `position` was 0. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.position)
  }

  private copyScratch(width: number): void {
    for (let i = 0; i < width; i++) this.byte(this.scratch.getUint8(i))
  }

  private reserve(extra: number): void {
    if (this.position + extra <= this.bytes.length) return
    const larger = new Uint8Array(Math.max(2 * this.bytes.length, this.position + extra))
    larger.set(this.bytes)
    this.bytes = larger
  }
}

function unsignedWidth(value: number): number {
  let width = 1
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) width++
  return width
}
