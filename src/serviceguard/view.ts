/** `cmviewcl -f line` [serviceguard.md 5.1.3]: `prefix|attribute=value`; a prefix is a chain of `type:name`. Keeps unknown ones. Pure. */
export interface LineView {
  /** Of the object itself; the first of equal names. */
  readonly own: ReadonlyMap<string, string>;
  /** `parts.get('node')?.get('alpha')`, in order. */
  readonly parts: ReadonlyMap<string, ReadonlyMap<string, LineView>>;
}

interface Growing extends LineView {
  readonly own: Map<string, string>;
  readonly parts: Map<string, Map<string, Growing>>;
}

/** An empty view for other text. */
export function parseLineView(text: string): LineView {
  const root = emptyView();
  for (const line of text.split('\n')) readLine(root, line.trim());
  return root;
}

function emptyView(): Growing {
  return { own: new Map(), parts: new Map() };
}

function readLine(root: Growing, line: string): void {
  // Values may have bars and equal signs: the prefix ends with the last bar before the first equal sign.
  const equal = line.indexOf('=');
  if (equal <= 0) return;
  const path = line.slice(0, equal).split('|');
  const attribute = path.pop() ?? '';
  let view = root;
  for (const step of path) {
    const colon = step.indexOf(':');
    view = partOf(view, colon < 0 ? step : step.slice(0, colon), colon < 0 ? '' : step.slice(colon + 1));
  }
  if (attribute !== '' && !view.own.has(attribute)) view.own.set(attribute, line.slice(equal + 1));
}

function partOf(view: Growing, type: string, name: string): Growing {
  const ofType = view.parts.get(type) ?? new Map<string, Growing>();
  view.parts.set(type, ofType);
  const part = ofType.get(name) ?? emptyView();
  ofType.set(name, part);
  return part;
}

export function partsOf(view: LineView, type: string): [name: string, part: LineView][] {
  return [...(view.parts.get(type) ?? [])];
}

/** From `-p package` (no prefix) or the whole cluster; null: not named. */
export function packageIn(view: LineView, name: string): LineView | null {
  const nested = view.parts.get('package')?.get(name);
  if (nested !== undefined) return nested;
  return view.own.get('name') === name && !view.parts.has('package') ? view : null;
}
