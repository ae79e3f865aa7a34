// `npm start`: installs what is needed and trains a small convolutional network on MNIST. The program itself is one screen:
// docs/examples/mnist.ts.
import { runTypeScript } from './example.mjs'
import { ensureInstalled } from './install.mjs'

ensureInstalled()
process.exitCode = runTypeScript('docs/examples/mnist.ts')
