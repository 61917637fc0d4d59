// Products of arrays, and the small part of linear algebra that needs no iteration.

/** Matrix products of the last two axes, over all others at once. */
function matrixProduct(a, b) {
  const { dtype, weak } = resultType([a, b]);
  if (a.shape.length === 0 || b.shape.length === 0) return entrywise.multiply(a, b);
  const left = a.shape.length === 1 ? reshaped(a, [1, a.shape[0]]) : a;
  const right = b.shape.length === 1 ? reshaped(b, [b.shape[0], 1]) : b;
  const [rows, inner] = left.shape.slice(-2);
  const columns = right.shape.at(-1);
  if (right.shape.at(-2) !== inner)
    throw new Error(`${shapeText(a.shape)} @ ${shapeText(b.shape)} do not fit`);
  const outer = broadcastShape([left.shape.slice(0, -2), right.shape.slice(0, -2)]);
  const lefts = sources(left.shape.slice(0, -2), outer);
  const rights = sources(right.shape.slice(0, -2), outer);
  const out = empty(dtype, [...outer, rows, columns], weak);
  const line = new Float64Array(columns);
  for (let k = 0; k < lefts.length; k++) {
    for (let i = 0; i < rows; i++) {
      line.fill(0);
      const from = lefts[k] * rows * inner + i * inner;
      for (let j = 0; j < inner; j++) {
        const factor = left.data[from + j];
        const at = rights[k] * inner * columns + j * columns;
        for (let c = 0; c < columns; c++) line[c] += factor * right.data[at + c];
      }
      out.data.set(line, (k * rows + i) * columns);
    }
  }
  const shape = [
    ...outer,
    ...(a.shape.length === 1 ? [] : [rows]),
    ...(b.shape.length === 1 ? [] : [columns]),
  ];
  return { ...out, shape };
}

function tensorProduct(a, b, axes) {
  const n = a.shape.length;
  const [left, right] =
    typeof axes === "number"
      ? [Array.from({ length: axes }, (_, k) => n - axes + k), Array.from({ length: axes }, (_, k) => k)]
      : [positiveAxes(axes[0], n), positiveAxes(axes[1], b.shape.length)];
  const freeLeft = [...a.shape.keys()].filter((k) => !left.includes(k));
  const freeRight = [...b.shape.keys()].filter((k) => !right.includes(k));
  const inner = sizeOf(left.map((k) => a.shape[k]));
  const outerLeft = freeLeft.map((k) => a.shape[k]);
  const outerRight = freeRight.map((k) => b.shape[k]);
  const rows = reshaped(permuted(a, [...freeLeft, ...left]), [sizeOf(outerLeft), inner]);
  const columns = reshaped(permuted(b, [...right, ...freeRight]), [inner, sizeOf(outerRight)]);
  return reshaped(matrixProduct(rows, columns), [...outerLeft, ...outerRight]);
}

/** Einstein summation: the product of all operands, summed over the letters that the result lacks. */
function einstein(operands, subscripts) {
  const [words, target] = subscripts.split("->");
  const inputs = words.split(",");
  const extent = {};
  inputs.forEach((word, k) =>
    [...word].forEach((letter, axis) => {
      extent[letter] = operands[k].shape[axis];
    }),
  );
  const letters = [...target, ...Object.keys(extent).filter((letter) => !target.includes(letter))];
  const shape = letters.map((letter) => extent[letter]);
  const strides = (word, of) => {
    const own = stridesOf(of);
    return letters.map((letter) =>
      [...word].reduce((sum, c, axis) => (c === letter ? sum + own[axis] : sum), 0),
    );
  };
  let product = null;
  inputs.forEach((word, k) => {
    const { data } = operands[k];
    const factors = product ?? new Float64Array(sizeOf(shape)).fill(1);
    walk(shape, strides(word, operands[k].shape), (place, offset) => {
      factors[place] *= data[offset];
    });
    product = factors;
  });
  const wide = { dtype: "float64", shape, weak: false, data: product };
  const axes = letters.map((_, k) => k).slice(target.length);
  return cast(sumOver(wide, axes), resultType(operands).dtype);
}

function kronecker(a, b) {
  const axes = Math.max(a.shape.length, b.shape.length);
  const left = [...Array(axes - a.shape.length).fill(1), ...a.shape];
  const right = [...Array(axes - b.shape.length).fill(1), ...b.shape];
  const spreadLeft = reshaped(
    a,
    left.flatMap((n) => [n, 1]),
  );
  const spreadRight = reshaped(
    b,
    right.flatMap((n) => [1, n]),
  );
  return reshaped(
    entrywise.multiply(spreadLeft, spreadRight),
    left.map((n, k) => n * right[k]),
  );
}

/** Calls `f` with each matrix of the last two axes as rows of doubles, and joins the matrices it returns. */
function perMatrix(a, f, shapeOf) {
  const [rows, columns] = a.shape.slice(-2);
  const outer = a.shape.slice(0, -2);
  const out = empty(floatType(a).dtype, [...outer, ...shapeOf]);
  const part = sizeOf(shapeOf);
  for (let k = 0; k < sizeOf(outer); k++) {
    const matrix = Array.from({ length: rows }, (_, i) =>
      Array.from(a.data.subarray((k * rows + i) * columns, (k * rows + i + 1) * columns)),
    );
    out.data.set([f(matrix, k)].flat(2), k * part);
  }
  return out;
}

/** Gauss's elimination with the largest pivots: solves for all columns on the right; also the determinant. */
function eliminated(matrix, right) {
  const n = matrix.length;
  let determinant = 1;
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let row = column + 1; row < n; row++)
      if (Math.abs(matrix[row][column]) > Math.abs(matrix[pivot][column])) pivot = row;
    if (pivot !== column) {
      [matrix[column], matrix[pivot]] = [matrix[pivot], matrix[column]];
      [right[column], right[pivot]] = [right[pivot], right[column]];
      determinant = -determinant;
    }
    determinant *= matrix[column][column];
    if (determinant === 0) return { determinant, solution: right.map((line) => line.map(() => NaN)) };
    for (let row = column + 1; row < n; row++) {
      const factor = matrix[row][column] / matrix[column][column];
      for (let k = column; k < n; k++) matrix[row][k] -= factor * matrix[column][k];
      for (let k = 0; k < right[row].length; k++) right[row][k] -= factor * right[column][k];
    }
  }
  for (let row = n - 1; row >= 0; row--) {
    for (let k = 0; k < right[row].length; k++) {
      for (let j = row + 1; j < n; j++) right[row][k] -= matrix[row][j] * right[j][k];
      right[row][k] /= matrix[row][row];
    }
  }
  return { determinant, solution: right };
}

const unitMatrix = (n) =>
  Array.from({ length: n }, (_, i) => Array.from({ length: n }, (__, j) => Number(i === j)));

function solved(a, b) {
  const vector = b.shape.length === 1;
  const columns = vector ? reshaped(b, [b.shape[0], 1]) : b;
  const outer = broadcastShape([a.shape.slice(0, -2), columns.shape.slice(0, -2)]);
  const wide = broadcastTo(a, [...outer, ...a.shape.slice(-2)]);
  const rights = broadcastTo(columns, [...outer, ...columns.shape.slice(-2)]);
  const [rows, width] = columns.shape.slice(-2);
  const solution = perMatrix(
    wide,
    (matrix, k) =>
      eliminated(
        matrix,
        Array.from({ length: rows }, (_, i) => {
          const start = (k * rows + i) * width;
          return Array.from(rights.data.subarray(start, start + width));
        }),
      ).solution,
    [rows, width],
  );
  return vector ? reshaped(solution, solution.shape.slice(0, -1)) : solution;
}

function lowerTriangle(matrix) {
  const n = matrix.length;
  const lower = unitMatrix(n).map((row) => row.map(() => 0));
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let rest = matrix[i][j];
      for (let k = 0; k < j; k++) rest -= lower[i][k] * lower[j][k];
      lower[i][j] = i === j ? Math.sqrt(rest) : rest / lower[j][j];
    }
  }
  return lower;
}

const determinantOf = (a) =>
  perMatrix(
    a,
    (matrix) =>
      eliminated(
        matrix,
        matrix.map(() => []),
      ).determinant,
    [],
  );

/** x wᵀ + b with the rounding of two operations. */
function affine(x, w, b) {
  return entrywise.add(matrixProduct(x, transposed(w)), b);
}

const products = {
  matmul: ([a, b]) => matrixProduct(a, b),
  outer: ([a, b]) => entrywise.multiply(reshaped(a, [a.data.length, 1]), reshaped(b, [1, b.data.length])),
  tensordot: ([a, b], { axes }) => tensorProduct(a, b, axes),
  inner: ([a, b]) =>
    a.shape.length && b.shape.length ? tensorProduct(a, b, [[-1], [-1]]) : entrywise.multiply(a, b),
  kron: ([a, b]) => kronecker(a, b),
  einsum: (operands, { subscripts }) => einstein(operands, subscripts),
  linear: ([x, w, b]) => affine(x, w, b),
  pairwise_distances: ([x, y], { ord }) => {
    const spread = (a, axis) =>
      reshaped(a, [
        ...a.shape.slice(0, -2),
        ...(axis ? [1, a.shape.at(-2)] : [a.shape.at(-2), 1]),
        a.shape.at(-1),
      ]);
    return normOver(entrywise.subtract(spread(x, false), spread(y, true)), ord, -1, false);
  },
  identity_mask: ([a]) => {
    const [rows, columns] = a.shape.slice(-2);
    const out = empty("bool", a.shape);
    out.data.forEach((_, k) => {
      out.data[k] = Number(k % columns === Math.floor(k / columns) % rows);
    });
    return out;
  },
  inv: ([a]) =>
    perMatrix(a, (matrix) => eliminated(matrix, unitMatrix(matrix.length)).solution, a.shape.slice(-2)),
  solve: ([a, b]) => solved(a, b),
  det: ([a]) => determinantOf(a),
  slogdet: ([a]) => {
    const value = determinantOf(a);
    return [entrywise.sign(value), entrywise.log(entrywise.abs(value))];
  },
  cholesky: ([a]) => perMatrix(a, lowerTriangle, a.shape.slice(-2)),
};
