// How torch functions of images and signals are called here: convolution, pooling, windows. A part of ops.ts.
import {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  lpPool1d,
  lpPool2d,
  maxPool1d,
  maxPool2d,
  maxPool3d,
  type Conv,
  type ConvTranspose,
} from '@nabla/tensor'
import { mapping, type Mapping } from './replay.ts'

function convolution(conv: Conv): Mapping {
  return mapping('x weight bias stride padding dilation groups', ({ x, weight, bias, ...options }) => conv(x, weight, bias, options))
}

function transposedConvolution(conv: ConvTranspose): Mapping {
  const parameters = 'x weight bias stride padding output_padding groups dilation'
  return mapping(parameters, ({ x, weight, bias, output_padding: outputPadding, ...options }) =>
    conv(x, weight, bias, { ...options, outputPadding }),
  )
}

function maxPool(pool: typeof maxPool1d): Mapping {
  return mapping('x kernel stride padding dilation ceil_mode', ({ x, kernel, ceil_mode: ceilMode, ...options }) =>
    pool(x, kernel, { ...options, ceilMode }),
  )
}

function avgPool(pool: typeof avgPool1d): Mapping {
  const parameters = 'x kernel stride padding ceil_mode count_include_pad divisor_override'
  return mapping(parameters, ({ x, kernel, stride, padding, ceil_mode, count_include_pad, divisor_override }) =>
    pool(x, kernel, {
      stride,
      padding,
      ceilMode: ceil_mode,
      countIncludePad: count_include_pad,
      divisorOverride: divisor_override,
    }),
  )
}

function lpPool(pool: typeof lpPool1d): Mapping {
  return mapping('x p kernel stride ceil_mode', ({ x, p, kernel, stride, ceil_mode: ceilMode }) => pool(x, p, kernel, { stride, ceilMode }))
}

function adaptivePool(pool: typeof adaptiveAvgPool1d): Mapping {
  return mapping('x size', ({ x, size }) => pool(x, size))
}

/** The functions of ops.json for images and signals that exist here. */
export const spatialOps: Readonly<Record<string, Mapping>> = {
  'F.conv1d': convolution(conv1d),
  'F.conv2d': convolution(conv2d),
  'F.conv3d': convolution(conv3d),
  'F.conv_transpose1d': transposedConvolution(convTranspose1d),
  'F.conv_transpose2d': transposedConvolution(convTranspose2d),
  'F.conv_transpose3d': transposedConvolution(convTranspose3d),
  'F.max_pool1d': maxPool(maxPool1d),
  'F.max_pool2d': maxPool(maxPool2d),
  'F.max_pool3d': maxPool(maxPool3d),
  'F.avg_pool1d': avgPool(avgPool1d),
  'F.avg_pool2d': avgPool(avgPool2d),
  'F.avg_pool3d': avgPool(avgPool3d),
  'F.lp_pool1d': lpPool(lpPool1d),
  'F.lp_pool2d': lpPool(lpPool2d),
  'F.adaptive_avg_pool1d': adaptivePool(adaptiveAvgPool1d),
  'F.adaptive_avg_pool2d': adaptivePool(adaptiveAvgPool2d),
  'F.adaptive_avg_pool3d': adaptivePool(adaptiveAvgPool3d),
  'F.adaptive_max_pool1d': adaptivePool(adaptiveMaxPool1d),
  'F.adaptive_max_pool2d': adaptivePool(adaptiveMaxPool2d),
  'F.adaptive_max_pool3d': adaptivePool(adaptiveMaxPool3d),
  'F.max_unpool2d': mapping('x indices kernel stride padding output_size', ({ x, indices, kernel, output_size: outputSize, ...options }) =>
    x.maxUnpool2d(indices, kernel, { ...options, outputSize }),
  ),
  'F.unfold': mapping('x kernel_size dilation padding stride', ({ x, kernel_size: kernel, ...options }) => x.im2col(kernel, options)),
  'F.fold': mapping('x output_size kernel_size dilation padding stride', ({ x, output_size, kernel_size, ...options }) =>
    x.col2im(output_size, kernel_size, options),
  ),
  'F.interpolate': mapping(
    'x size scale_factor mode align_corners antialias',
    ({ x, scale_factor: scaleFactor, align_corners: alignCorners, ...options }) =>
      x.interpolate({ ...options, scaleFactor, alignCorners }),
  ),
  'F.pixel_shuffle': mapping('x factor', ({ x, factor }) => x.pixelShuffle(factor)),
  'F.pixel_unshuffle': mapping('x factor', ({ x, factor }) => x.pixelUnshuffle(factor)),
  'F.channel_shuffle': mapping('x groups', ({ x, groups }) => x.channelShuffle(groups)),
}
