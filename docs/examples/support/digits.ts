// Draws images as text, side by side: half blocks, two rows of dots in each line.

/**
 * @param pixels row-major grey values of all images, `size` x `size` each
 * @param captions lines of text below each image
 */
export function drawDigits(
  pixels: ArrayLike<number>,
  size: number,
  captions: readonly (readonly string[])[],
): string {
  const perRow = 4
  const rows: string[] = []
  for (let first = 0; first < captions.length; first += perRow) {
    const columns = captions.slice(first, first + perRow).map((caption, i) => {
      const start = (first + i) * size * size
      const lines = drawImage(
        Array.from({ length: size * size }, (_, pixel) => pixels[start + pixel]!),
        size,
      )
      return [...lines, ...caption].map((line) => line.padEnd(size / 2))
    })
    const lines = columns[0]!.map((_, line) =>
      columns
        .map((column) => column[line])
        .join('    ')
        .trimEnd(),
    )
    rows.push(lines.join('\n'))
  }
  return rows.join('\n\n')
}

/** Every dot stands for 2 x 2 pixels, so that an image is half as many characters wide. */
function drawImage(pixels: readonly number[], size: number): string[] {
  const brightest = Math.max(...pixels)
  const isInk = (row: number, column: number): boolean => {
    const at = (down: number, right: number): number =>
      pixels[(2 * row + down) * size + 2 * column + right] ?? 0
    return at(0, 0) + at(0, 1) + at(1, 0) + at(1, 1) > brightest
  }
  const blocks = [' ', '▄', '▀', '█']
  return Array.from({ length: size / 4 }, (_, line) =>
    Array.from({ length: size / 2 }, (_, column) => {
      const [upper, lower] = [isInk(2 * line, column), isInk(2 * line + 1, column)]
      return blocks[2 * Number(upper) + Number(lower)]
    }).join(''),
  )
}
