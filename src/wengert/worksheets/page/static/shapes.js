// The shapes of the graph: outlines of boxes, heads of arrows, and the areas behind open groups.

function arrowHead(kind) {
  return svg(
    "marker",
    {
      id: `arrow-${kind}`,
      class: kind,
      viewBox: "0 0 10 8",
      refX: "9",
      refY: "4",
      markerWidth: "9",
      markerHeight: "7",
      markerUnits: "userSpaceOnUse",
      orient: "auto-start-reverse",
    },
    svg("path", { d: "M0 0L10 4L0 8L2.5 4z" }),
  );
}

/** The outline of a box, which tells its kind in black and white too. */
function outlines(box, kind) {
  const shape = (inset) => {
    const [w, h] = [box.width - 2 * inset, box.height - 2 * inset];
    const [left, right, top, bottom] = [box.x - w / 2, box.x + w / 2, box.y - h / 2, box.y + h / 2];
    const notch = 12;
    if (kind === "parameter")
      return svg("polygon", {
        class: "shape",
        points: `${left},${box.y} ${left + notch},${top} ${right - notch},${top} ${right},${box.y} ${right - notch},${bottom} ${left + notch},${bottom}`,
      });
    if (kind === "constant")
      return svg("polygon", {
        class: "shape",
        points: `${left + notch},${top} ${right},${top} ${right - notch},${bottom} ${left},${bottom}`,
      });
    const rounding = { input: h / 2, operation: 9, group: 9, output: 0 }[kind];
    return svg("rect", { class: "shape", x: left, y: top, width: w, height: h, rx: rounding });
  };
  if (kind === "group")
    return [
      svg("rect", {
        class: "shape behind",
        x: box.x - box.width / 2 + 5,
        y: box.y - box.height / 2 + 5,
        width: box.width,
        height: box.height,
        rx: 9,
      }),
      shape(0),
    ];
  return kind === "output" ? [shape(0), shape(4)] : [shape(0)];
}

/** The area behind the members of an open group: in every column from the highest to the lowest of them. */
function areaOf(group, boxes) {
  const members = boxes.filter((box) => box.path.includes(group.number));
  const inner = Math.max(0, ...members.map((box) => box.path.length - box.path.indexOf(group.number) - 1));
  const pad = 8 + 16 * inner;
  let depth = 0;
  for (let around = group.parent; around.parent; around = around.parent) depth += 1;
  const columns = new Map();
  for (const box of members) columns.set(box.x, [...(columns.get(box.x) ?? []), box]);
  const spans = [...columns]
    .sort((a, b) => a[0] - b[0])
    .map(([, list]) => ({
      left: Math.min(...list.map((b) => b.x - b.width / 2)) - pad,
      right: Math.max(...list.map((b) => b.x + b.width / 2)) + pad,
      top: Math.min(...list.map((b) => b.y - b.height / 2)) - pad,
      bottom: Math.max(...list.map((b) => b.y + b.height / 2)) + pad,
    }));
  const upper = spans.flatMap((s) => [`${s.left},${s.top}`, `${s.right},${s.top}`]);
  const lower = [...spans].reverse().flatMap((s) => [`${s.right},${s.bottom}`, `${s.left},${s.bottom}`]);
  return {
    points: [...upper, ...lower].join(" "),
    left: spans[0].left,
    top: spans[0].top,
    isOdd: depth % 2 === 1,
  };
}
