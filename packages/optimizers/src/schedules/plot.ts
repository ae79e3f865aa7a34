// A curve as a small SVG drawing, without any library: what `schedule.plot()` gives.

/** Settings of a drawing. */
export interface PlotOptions {
  /** Default 480. */
  width?: number
  /** Default 240. */
  height?: number
  /** What is written above. Default: the schedule's name. */
  title?: string
}

const margin = { left: 64, right: 16, top: 28, bottom: 28 }

/** A polyline through values at 0, 1, 2, ... with the range of both axes written beside them. */
export function plotCurve(values: readonly number[], options: PlotOptions = {}): string {
  const { width = 480, height = 240, title = '' } = options
  const low = Math.min(0, ...values)
  const high = Math.max(...values, low)
  const right = width - margin.right
  const bottom = height - margin.bottom
  const x = (i: number): number => margin.left + ((right - margin.left) * i) / Math.max(values.length - 1, 1)
  const y = (value: number): number => bottom - ((bottom - margin.top) * (value - low)) / (high - low || 1)
  const points = values.map((value, i) => `${round(x(i))},${round(y(value))}`).join(' ')
  const text = (at: string, anchor: string, content: string): string =>
    `<text ${at} text-anchor="${anchor}" fill="currentColor">${escape(content)}</text>`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ` +
      'font-family="sans-serif" font-size="11">',
    `<path d="M${margin.left},${margin.top}V${bottom}H${right}" fill="none" stroke="currentColor" opacity="0.4"/>`,
    `<polyline points="${points}" fill="none" stroke="#2563eb" stroke-width="1.5"/>`,
    text(`x="${margin.left}" y="16"`, 'start', title),
    text(`x="${margin.left - 6}" y="${margin.top + 4}"`, 'end', label(high)),
    text(`x="${margin.left - 6}" y="${bottom}"`, 'end', label(low)),
    text(`x="${margin.left}" y="${bottom + 16}"`, 'middle', '0'),
    text(`x="${right}" y="${bottom + 16}"`, 'end', String(Math.max(values.length - 1, 0))),
    '</svg>',
  ].join('\n')
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}

function label(value: number): string {
  return String(Number(value.toPrecision(3)))
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
