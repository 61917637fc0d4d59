// Sliding windows over the last two axes: convolution, its two transposes, and pooling.

const paired = (setting) => (typeof setting === "number" ? [setting, setting] : setting);
const marginsOf = (padding) => (typeof padding === "number" ? [padding, padding] : padding).map(paired);

/** How many windows fit along the vertical and the horizontal axis. */
function windowCounts(extents, kernel, { stride, padding, dilation }) {
  const [steps, gaps, margins] = [paired(stride), paired(dilation), marginsOf(padding)];
  return extents.map((n, k) => {
    const span = gaps[k] * (kernel[k] - 1) + 1;
    return Math.floor((n + margins[k][0] + margins[k][1] - span) / steps[k]) + 1;
  });
}

/** Calls `visit(row, column, i, j, y, x)` for every entry (i, j) of every window, at the place (y, x) of the
 * image that it lies on; entries beyond the image are passed over. */
function eachWindowEntry(extents, kernel, placement, visit) {
  const [steps, gaps, margins] = [
    paired(placement.stride),
    paired(placement.dilation ?? 1),
    marginsOf(placement.padding),
  ];
  const [rows, columns] = windowCounts(extents, kernel, { ...placement, dilation: gaps });
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < kernel[0]; i++) {
      const y = row * steps[0] + i * gaps[0] - margins[0][0];
      if (y < 0 || y >= extents[0]) continue;
      for (let column = 0; column < columns; column++) {
        for (let j = 0; j < kernel[1]; j++) {
          const x = column * steps[1] + j * gaps[1] - margins[1][0];
          if (x >= 0 && x < extents[1]) visit(row, column, i, j, y, x);
        }
      }
    }
  }
}

function windowsOf(x, kernelSize, placement) {
  const kernel = paired(kernelSize);
  const extents = x.shape.slice(-2);
  const outer = x.shape.slice(0, -2);
  const [rows, columns] = windowCounts(extents, kernel, placement);
  const out = empty(x.dtype, [...outer, rows, columns, ...kernel]);
  const [area, part] = [sizeOf(extents), rows * columns * sizeOf(kernel)];
  for (let k = 0; k < sizeOf(outer); k++) {
    eachWindowEntry(extents, kernel, placement, (row, column, i, j, y, at) => {
      out.data[k * part + ((row * columns + column) * kernel[0] + i) * kernel[1] + j] =
        x.data[k * area + y * extents[1] + at];
    });
  }
  return out;
}

function overlapped(g, shape, placement) {
  const kernel = g.shape.slice(-2);
  const [rows, columns] = g.shape.slice(-4, -2);
  const outer = g.shape.slice(0, -4);
  const total = new Float64Array(sizeOf(outer) * sizeOf(shape));
  const [area, part] = [sizeOf(shape), rows * columns * sizeOf(kernel)];
  for (let k = 0; k < sizeOf(outer); k++) {
    eachWindowEntry(shape, kernel, placement, (row, column, i, j, y, x) => {
      total[k * area + y * shape[1] + x] +=
        g.data[k * part + ((row * columns + column) * kernel[0] + i) * kernel[1] + j];
    });
  }
  const out = empty(g.dtype, [...outer, ...shape]);
  out.data.set(total);
  return out;
}

/** One trilinear form, the sum of windows(x) · w · a, serves three operations: each leaves one of the image
 * x, the weight w and the result a open. `add(x's place, w's place, a's place)` gets every product. */
function eachConvolutionProduct(imageShape, weightShape, settings, add) {
  const [channels, height, width] = imageShape.slice(-3);
  const [outputs, inputs, ...kernel] = weightShape;
  const { groups } = settings;
  const [rows, columns] = windowCounts([height, width], kernel, settings);
  const batch = sizeOf(imageShape.slice(0, -3));
  for (let n = 0; n < batch; n++) {
    for (let o = 0; o < outputs; o++) {
      const group = Math.floor(o / (outputs / groups));
      for (let c = 0; c < inputs; c++) {
        const image = (n * channels + group * inputs + c) * height * width;
        const weight = (o * inputs + c) * kernel[0] * kernel[1];
        const result = (n * outputs + o) * rows * columns;
        eachWindowEntry([height, width], kernel, settings, (row, column, i, j, y, x) => {
          add(image + y * width + x, weight + i * kernel[1] + j, result + row * columns + column);
        });
      }
    }
  }
}

function totalled(shape, dtype, fill) {
  const total = new Float64Array(sizeOf(shape));
  fill(total);
  const out = empty(dtype, shape);
  out.data.set(total);
  return out;
}

function convolution(x, w, settings) {
  const counts = windowCounts(x.shape.slice(-2), w.shape.slice(-2), settings);
  return totalled([...x.shape.slice(0, -3), w.shape[0], ...counts], resultType([x, w]).dtype, (total) => {
    eachConvolutionProduct(x.shape, w.shape, settings, (i, k, r) => {
      total[r] += x.data[i] * w.data[k];
    });
  });
}

function convolutionToImage(a, w, { shape, ...settings }) {
  const image = [...a.shape.slice(0, -3), w.shape[1] * settings.groups, ...shape];
  return totalled(image, resultType([a, w]).dtype, (total) => {
    eachConvolutionProduct(image, w.shape, settings, (i, k, r) => {
      total[i] += a.data[r] * w.data[k];
    });
  });
}

function convolutionToWeight(x, a, { kernel_size, ...settings }) {
  const weight = [a.shape.at(-3), x.shape.at(-3) / settings.groups, ...paired(kernel_size)];
  return totalled(weight, resultType([x, a]).dtype, (total) => {
    eachConvolutionProduct(x.shape, weight, settings, (i, k, r) => {
      total[k] += x.data[i] * a.data[r];
    });
  });
}

/** The padding of a pooling; in ceil mode it grows behind, so that entries left over get a window too. */
function poolingMargins(extents, { kernel_size, stride, padding, dilation, ceil_mode }) {
  const margins = marginsOf(padding);
  if (!ceil_mode) return margins;
  const [kernel, steps, gaps] = [paired(kernel_size), paired(stride), paired(dilation ?? 1)];
  return margins.map(([before, behind], k) => {
    const span = gaps[k] * (kernel[k] - 1) + 1;
    const start = (Math.floor((before + extents[k] + behind - span) / steps[k]) + 1) * steps[k];
    const missing = start + span - (before + extents[k] + behind);
    return missing < steps[k] && start < before + extents[k] ? [before, behind + missing] : [before, behind];
  });
}

/** For every window, the number of the entry of x that is its first maximum. */
function maximaOf(x, settings) {
  const extents = x.shape.slice(-2);
  const kernel = paired(settings.kernel_size);
  const placement = { ...settings, padding: poolingMargins(extents, settings) };
  const counts = windowCounts(extents, kernel, placement);
  const shape = [...x.shape.slice(0, -2), ...counts];
  const places = new Int32Array(sizeOf(shape)).fill(-1);
  const [area, part] = [sizeOf(extents), sizeOf(counts)];
  for (let k = 0; k < places.length / part; k++) {
    eachWindowEntry(extents, kernel, placement, (row, column, i, j, y, at) => {
      const window = k * part + row * counts[1] + column;
      const entry = k * area + y * extents[1] + at;
      if (places[window] < 0 || x.data[entry] > x.data[places[window]]) places[window] = entry;
    });
  }
  return { places, shape };
}

function averagePool(x, settings) {
  const extents = x.shape.slice(-2);
  const kernel = paired(settings.kernel_size);
  const placement = { stride: settings.stride, dilation: 1, padding: poolingMargins(extents, settings) };
  const [sums, counts] = [x, ones(x)].map((a) => sumOver(windowsOf(a, kernel, placement), [-2, -1]));
  const given = marginsOf(settings.padding);
  if (settings.count_include_pad) {
    const padded = moving.pad([ones(x)], {
      pad_width: [...x.shape.slice(0, -2).map(() => [0, 0]), ...given],
    });
    padded.data.fill(1);
    const around = placement.padding.map(([before, behind], k) => [
      before - given[k][0],
      behind - given[k][1],
    ]);
    counts.data.set(sumOver(windowsOf(padded, kernel, { ...placement, padding: around }), [-2, -1]).data);
  }
  return entrywise.divide(sums, counts);
}

const ones = (x) => entrywise.ones_like(x);

const windowed = {
  windows: ([x], { kernel_size, ...placement }) => windowsOf(x, kernel_size, placement),
  overlap_add: ([g], { shape, ...placement }) => overlapped(g, shape, placement),
  conv2d: ([x, w], settings) => convolution(x, w, settings),
  conv_transpose2d: ([a, w], settings) => convolutionToImage(a, w, settings),
  conv2d_weight: ([x, a], settings) => convolutionToWeight(x, a, settings),
  pool_at_maxima: ([v, x], settings) => {
    const { places, shape } = maximaOf(x, settings);
    return gathered(v, places, shape);
  },
  unpool_at_maxima: ([g, x], settings) => scattered(g, maximaOf(x, settings).places, x.shape),
  max_pool2d: ([x], settings) => {
    const { places, shape } = maximaOf(x, settings);
    return gathered(x, places, shape);
  },
  avg_pool2d: ([x], settings) => averagePool(x, settings),
};
