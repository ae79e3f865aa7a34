// What `rollup -c ../../tools/build/rollup.config.mjs` builds in a package's folder.
import { definePackage } from './definePackage.mjs'

export default definePackage()
