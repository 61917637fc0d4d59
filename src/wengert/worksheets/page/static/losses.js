// What separates a prediction from its target.

function reducedLoss(entries, reduction) {
  if (reduction === "none" || entries.shape.length === 0) return entries;
  const whole = sumOver(entries);
  return reduction === "mean" ? entrywise.divide(whole, number(entries.data.length, "int64")) : whole;
}

/** A loss between two arrays of one shape, from the loss of two entries. */
function entryLoss(f) {
  return ([x, t], { reduction, ...settings }) => {
    const entries = mapped((a, b) => f(a, b, settings), [x, t], floatType(resultType([x, t])));
    return reducedLoss(entries, reduction);
  };
}

const flooredLog = (x) => Math.max(x, -100);

function huber(x, t, { delta }) {
  const difference = x - t;
  const near = Math.min(Math.max(difference, -delta), delta);
  return near * (difference - near / 2);
}

/** Every class index as an index along the axis of classes. */
const besideClasses = (target, axis) => moving.expand_dims([target], { axis });

const losses = {
  mse_loss: entryLoss((x, t) => (x - t) * (x - t)),
  l1_loss: entryLoss((x, t) => Math.abs(x - t)),
  huber_loss: entryLoss(huber),
  binary_cross_entropy: entryLoss(
    (x, t) => (t - 1) * flooredLog(Math.log1p(-x)) - t * flooredLog(Math.log(x)),
  ),
  binary_cross_entropy_with_logits: entryLoss(
    (x, t) => Math.max(x, 0) - x * t + Math.log1p(Math.exp(-Math.abs(x))),
  ),
  cross_entropy: ([x, target], { axis, reduction }) => {
    const below = entrywise.subtract(x, maxOver(x, axis, true));
    const { places, shape } = alongAxis(x.shape, besideClasses(target, axis), axis);
    const chosen = gathered(below, places, shape);
    const entries = entrywise.subtract(entrywise.log(sumOver(entrywise.exp(below), axis, true)), chosen);
    return reducedLoss(reshaped(entries, withoutOnes(entries.shape, axis)), reduction);
  },
  softmax_residual: ([x, target], { axis }) => {
    const residual = softmaxOver(x, axis);
    for (const place of alongAxis(x.shape, besideClasses(target, axis), axis).places)
      residual.data[place] -= 1;
    return residual;
  },
};
