// How torch functions of linear algebra, signals and sampling are called here, and those whose result has a size that depends
// on the data. A part of ops.ts. Complex values are pairs on the last axis, here and (written out) in the files.
import {
  affineGrid,
  blackmanWindow,
  bartlettWindow,
  cov,
  corrcoef,
  hammingWindow,
  hannWindow,
  type WindowFunction,
} from '@nabla/tensor'
import { mapping, type Given, type Mapping } from './replay.ts'

/** Functions of matrices that have the same name there and here, but for the spelling. */
function matrixFunction(name: string, parameters: string = 'a'): Mapping {
  const [first, ...rest] = parameters.split(' ')
  return mapping(parameters, (given) => given[first!][name](...rest.map((parameter) => given[parameter])))
}

const linearAlgebra: Readonly<Record<string, Mapping>> = {
  'torch.linalg.det': matrixFunction('det'),
  'torch.linalg.slogdet': mapping('a', ({ a }) => {
    const { sign, logarithm } = a.slogdet()
    return [sign, logarithm]
  }),
  'torch.linalg.inv': matrixFunction('inv'),
  'torch.linalg.solve': matrixFunction('solve', 'a b'),
  'torch.linalg.solve_triangular': mapping('a b upper unitriangular', ({ a, b, upper, unitriangular }) =>
    a.triangularSolve(b, { upper, unitDiagonal: unitriangular }),
  ),
  'torch.linalg.cholesky': matrixFunction('cholesky'),
  'torch.linalg.qr': mapping('a', ({ a }) => {
    const { q, r } = a.qr()
    return [q, r]
  }),
  'torch.linalg.svdvals': matrixFunction('svdvals'),
  'torch.linalg.eigvalsh': matrixFunction('eigvalsh'),
  'torch.linalg.pinv': mapping('a rtol', ({ a, rtol }) => a.pinv({ rtol })),
  'torch.linalg.matrix_rank': mapping('a rtol', ({ a, rtol }) => a.matrixRank({ rtol })),
  'torch.linalg.matrix_exp': matrixFunction('matrixExp'),
  'torch.linalg.matrix_norm': mapping('x ord dim keepdim', ({ x, ord, dim, keepdim }) => x.matrixNorm(ord, { dims: dim, keepdim })),
  'torch.linalg.cross': mapping('a b dim', ({ a, b, dim }) => a.cross(b, dim)),
  'torch.cross': mapping('a b dim', ({ a, b, dim }) => a.cross(b, dim)),
}

/** Integers and other values that torch reduces with options. */
const reductions: Readonly<Record<string, Mapping>> = {
  'torch.diff': mapping('x n dim', ({ x, n, dim }) => x.diff({ n, dim })),
  'torch.trapezoid': mapping('x dx dim', ({ x, dx, dim }) => x.trapezoid({ dx, dim })),
  'torch.count_nonzero': mapping('x dim', ({ x, dim }) => x.countNonzero(dim)),
  'torch.nansum': mapping('x dim keepdim', ({ x, dim, keepdim }) => x.nansum(dim, { keepdim })),
  'torch.nanmean': mapping('x dim keepdim', ({ x, dim, keepdim }) => x.nanmean(dim, { keepdim })),
  'torch.mode': mapping('x dim keepdim', ({ x, dim, keepdim }) => {
    const { values, indices } = x.mode(dim, { keepdim })
    return [values, indices]
  }),
  'torch.histc': mapping('x bins min max', ({ x, bins, min, max }) => x.histc(min === max ? { bins } : { bins, min, max })),
  'torch.cov': mapping('x correction', ({ x, correction }) => cov(x, { correction })),
  'torch.corrcoef': mapping('x', ({ x }) => corrcoef(x)),
}

/** torch.fft takes real and complex signals alike; here a real one is made complex first. */
function spectrum(given: Given, name: 'fft' | 'ifft'): ReturnType<Mapping['call']> {
  const { x, n, dim, norm } = given
  return x.toComplex()[name]({ n, dim, norm })
}

function windowMapping(window: WindowFunction): Mapping {
  return mapping('length periodic', ({ length, periodic }) => window(length, { periodic }))
}

const signals: Readonly<Record<string, Mapping>> = {
  'torch.fft.fft': mapping('x n dim norm', (given) => spectrum(given, 'fft')),
  'torch.fft.ifft': mapping('x n dim norm', (given) => spectrum(given, 'ifft')),
  'torch.fft.rfft': mapping('x n dim norm', ({ x, ...options }) => x.rfft(options)),
  // The file holds no complex inputs: this is irfft(rfft(x)), as the note of the case says.
  'torch.fft.irfft': mapping('x', ({ x }) => x.rfft().irfft()),
  'torch.stft': mapping(
    'x n_fft hop_length win_length window center pad_mode normalized onesided return_complex',
    ({ x, n_fft, hop_length, win_length, window, center, pad_mode, normalized, onesided }) =>
      x.stft(n_fft, {
        hopLength: hop_length,
        windowLength: win_length,
        window,
        center,
        padMode: pad_mode,
        normalized,
        onesided,
      }),
  ),
  'torch.hann_window': windowMapping(hannWindow),
  'torch.hamming_window': windowMapping(hammingWindow),
  'torch.blackman_window': windowMapping(blackmanWindow),
  'torch.bartlett_window': windowMapping(bartlettWindow),
}

const sampling: Readonly<Record<string, Mapping>> = {
  'F.grid_sample': mapping('x grid mode padding_mode align_corners', ({ x, grid, mode, padding_mode, align_corners }) =>
    x.gridSample(grid, { mode, paddingMode: padding_mode, alignCorners: align_corners }),
  ),
  'F.affine_grid': mapping('theta size align_corners', ({ theta, size, align_corners: alignCorners }) =>
    affineGrid(theta, size, { alignCorners }),
  ),
}

// Their size depends on the data, so they are promises here.
const selections: Record<string, Mapping> = {
  'torch.masked_select': mapping('x mask', ({ x, mask }) => x.maskedSelect(mask)),
  'torch.nonzero': mapping('x', ({ x }) => x.nonzero()),
  'torch.unique': mapping('x', async ({ x }) => (await x.unique()).values),
  'torch.bincount': mapping('x weights minlength', ({ x, weights, minlength: minLength }) =>
    x.bincount({ weights, minLength }),
  ),
}

/** The functions of ops.json for matrices, signals, sampling and selection. */
export const matrixAndSignalOps: Readonly<Record<string, Mapping>> = {
  ...linearAlgebra,
  ...reductions,
  ...signals,
  ...sampling,
  ...selections,
}
