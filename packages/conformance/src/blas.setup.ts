// Runs before each test file of vitest's project `blas`: the backend that is installed by default uses the library too.
import '@nabla/tensor'
import { useBlas } from '@nabla/backend-wasm/blas'

useBlas({ smallest: 0 })
