// How times and values are written beside a progress bar.
import type { Logs } from './history.ts'

/** Seconds as `8s`, `1:05`, `2:00:07`. */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole}s`
  const minutes = Math.floor(whole / 60)
  const twoDigits = (value: number) => String(value).padStart(2, '0')
  if (minutes < 60) return `${minutes}:${twoDigits(whole % 60)}`
  return `${Math.floor(minutes / 60)}:${twoDigits(minutes % 60)}:${twoDigits(whole % 60)}`
}

/** Seconds of one step as `2s/step`, `13ms/step`, `240us/step`. */
export function formatStepTime(seconds: number): string {
  if (seconds >= 1) return `${Math.round(seconds)}s/step`
  if (seconds >= 0.001) return `${Math.round(seconds * 1000)}ms/step`
  return `${Math.round(seconds * 1e6)}us/step`
}

/** Four decimals; small values by their exponent, so that they do not become 0.0000. */
export function formatValue(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  const tiny = value !== 0 && Math.abs(value) < 1e-3
  const huge = Math.abs(value) >= 1e7
  return tiny || huge ? value.toExponential(4) : value.toFixed(4)
}

/** ` - loss: 0.1234 - accuracy: 0.9650` */
export function formatLogs(logs: Logs): string {
  return Object.entries(logs)
    .map(([name, value]) => ` - ${name}: ${formatValue(value)}`)
    .join('')
}
