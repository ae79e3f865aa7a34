// The contractions that contract.mjs measures: squares in all transpositions, batches, attention on a strided projection,
// thin products as training steps have them, a vector times a matrix, convolutions with their gradients.

const product = (sizes) => sizes.reduce((all, size) => all * size, 1)

/** A contraction: sizes of its groups of axes, and the strides of A, B and C along them. */
function contraction(name, { batch = [], m, n, k }, a, b, c, lengths, isLarge = false) {
  const offset = 0
  const spec = {
    name: 'contract',
    dtype: 'float32',
    batch,
    m,
    n,
    k,
    a: { offset, batch: [], ...a },
    b: { offset, batch: [], ...b },
    c: { offset, batch: [], ...c },
    slots: [0, 1, 2],
  }
  return { name, spec, lengths, operations: 2 * product([...batch, ...m, ...n, ...k]), isLarge }
}

/** A product of matrices; `form` says which of both are stored transposed. */
function matmul(group, m, n, k, form, batch = 1) {
  const [left, right] = form
  const name = `${group} ${batch > 1 ? `${batch}x` : ''}${m}x${n}x${k} ${form}`
  return contraction(
    name,
    { batch: [batch], m: [m], n: [n], k: [k] },
    { batch: [m * k], m: [left === 'T' ? 1 : k], k: [left === 'T' ? m : 1] },
    { batch: [k * n], k: [right === 'T' ? 1 : n], n: [right === 'T' ? k : 1] },
    { batch: [m * n], m: [n], n: [1] },
    [batch * m * k, batch * k * n, batch * m * n],
    group === 'square',
  )
}

/** Scores and weighted values of attention, on queries, keys and values that lie interleaved: [batch, time, 3, head, width]. */
function attention(batch, heads, time, width) {
  const row = 3 * heads * width
  const qkv = batch * time * row
  const sizes = { batch: [batch, heads] }
  const own = { batch: [time * row, width] }
  const scores = [heads * time * time, time * time]
  return [
    contraction(
      'attention scores',
      { ...sizes, m: [time], n: [time], k: [width] },
      { ...own, m: [row], k: [1] },
      { ...own, k: [1], n: [row] },
      { batch: scores, m: [time], n: [1] },
      [qkv, qkv, batch * heads * time * time],
    ),
    contraction(
      'attention values',
      { ...sizes, m: [time], n: [width], k: [time] },
      { batch: scores, m: [time], k: [1] },
      { ...own, k: [row], n: [1] },
      { batch: [time * heads * width, width], m: [heads * width], n: [1] },
      [batch * heads * time * time, qkv, batch * time * heads * width],
    ),
  ]
}

/**
 * A convolution of images that are padded already, and its gradients by the weights and, where steps are of 1, by the
 * input: the correlation of the result's gradient, padded too, with the window turned around.
 */
function convolution(batch, inputs, outputs, size, window, stride) {
  const out = Math.floor((size - window) / stride) + 1
  const plane = size * size
  const name = `conv ${inputs}->${outputs} ${window}x${window}/${stride} ${size}x${size} b${batch}`
  const image = {
    window: [plane, size, 1],
    place: [inputs * plane, stride * size, stride],
  }
  const weights = { m: [inputs * window * window], k: [window * window, window, 1] }
  const result = { m: [out * out], n: [outputs * out * out, out, 1] }
  const lengths = [outputs * inputs * window ** 2, batch * inputs * plane, batch * outputs * out * out]
  const channels = [inputs, window, window]
  const places = [batch, out, out]
  const cases = [
    contraction(
      `${name} forward`,
      { m: [outputs], n: places, k: channels },
      weights,
      { k: image.window, n: image.place },
      result,
      lengths,
    ),
    contraction(
      `${name} by weights`,
      { m: [outputs], n: channels, k: places },
      { m: result.m, k: result.n },
      { k: image.place, n: image.window },
      { m: weights.m, n: weights.k },
      [lengths[2], lengths[1], lengths[0]],
    ),
  ]
  if (stride > 1) return cases
  const padded = out + 2 * (window - 1)
  const area = window * window
  cases.push(
    contraction(
      `${name} by input`,
      { m: [inputs], n: [batch, size, size], k: [outputs, window, window] },
      { offset: area - 1, m: [area], k: [inputs * area, -window, -1] },
      { k: [padded * padded, padded, 1], n: [outputs * padded * padded, padded, 1] },
      { m: [plane], n: [inputs * plane, size, 1] },
      [lengths[0], batch * outputs * padded * padded, lengths[1]],
    ),
  )
  return cases
}

const forms = ['NN', 'NT', 'TN', 'TT']

function allCases() {
  const inForms = (group, m, n, k, batch) => forms.map((form) => matmul(group, m, n, k, form, batch))
  return [
    ...[256, 512, 1024, 2048].flatMap((size) => inForms('square', size, size, size)),
    ...[16, 32, 64, 128].flatMap((size) => inForms('small', size, size, size)),
    ...inForms('batched', 128, 128, 32, 64),
    ...inForms('batched', 128, 32, 128, 64),
    ...attention(4, 4, 128, 32),
    matmul('step', 128, 512, 784, 'NT'),
    matmul('step', 784, 512, 128, 'TN'),
    matmul('step', 512, 256, 128, 'TN'),
    matmul('step', 128, 10, 256, 'NT'),
    matmul('step', 256, 10, 128, 'TN'),
    matmul('step', 32, 512, 128, 'NN'),
    matmul('step', 32, 128, 512, 'NT'),
    matmul('step', 128, 512, 32, 'TN'),
    matmul('step', 64, 512, 1600, 'TN'),
    matmul('step', 2048, 128, 512, 'NT'),
    matmul('step', 2048, 512, 128, 'NT'),
    matmul('step', 384, 128, 2048, 'TN'),
    matmul('step', 512, 128, 2048, 'TN'),
    matmul('step', 128, 512, 2048, 'TN'),
    matmul('step', 512, 32, 4608, 'NT'),
    matmul('row', 1, 512, 128, 'NT'),
    matmul('row', 1, 512, 128, 'NN'),
    matmul('row', 1, 128, 512, 'NT'),
    matmul('row', 1, 128, 512, 'NN'),
    matmul('row', 1, 1024, 1024, 'NT'),
    matmul('row', 1, 1024, 1024, 'NN'),
    ...convolution(64, 32, 64, 13, 3, 1),
    ...convolution(64, 1, 32, 28, 3, 1),
    ...convolution(8, 64, 64, 18, 3, 1),
    ...convolution(8, 64, 128, 17, 3, 2),
    ...convolution(8, 128, 128, 10, 3, 1),
    ...convolution(8, 256, 256, 6, 3, 1),
    ...convolution(8, 512, 512, 4, 3, 1),
    ...convolution(8, 3, 64, 70, 7, 2),
  ]
}

/** The cases whose names begin with one of `names`, or all. @throws RangeError for a name that fits none */
export function casesNamed(names) {
  const cases = allCases()
  const fits = (one, name) => one.name.startsWith(name)
  const unknown = names.find((name) => !cases.some((one) => fits(one, name)))
  if (unknown !== undefined) throw new RangeError(`no case begins with '${unknown}'`)
  return names.length === 0 ? cases : cases.filter((one) => names.some((name) => fits(one, name)))
}
