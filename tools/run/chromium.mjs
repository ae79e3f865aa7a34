// Finds the Chromium that browser tests run in. Nothing is downloaded: `CHROMIUM_PATH`, or one of the usual places.
import { existsSync } from 'node:fs'

const usualPlaces = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
]

/** Path of the browser, or null if there is none. */
export function chromiumPath() {
  const places = process.env.CHROMIUM_PATH ? [process.env.CHROMIUM_PATH] : usualPlaces
  return places.find((path) => existsSync(path)) ?? null
}
