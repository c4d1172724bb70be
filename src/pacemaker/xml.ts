/** The little of XML that is read: elements with attributes, by fast-xml-parser. Pure. */
import { XMLParser } from 'fast-xml-parser';

export type Element = Readonly<Record<string, unknown>>;

const isElement = (value: unknown): value is Element => typeof value === 'object' && value !== null && !Array.isArray(value);

/** null: no XML. */
export function readXml(text: string): Element | null {
  const parser = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: '@', parseAttributeValue: false });
  try {
    const document: unknown = parser.parse(text, true);
    return isElement(document) ? document : null;
  } catch {
    return null;
  }
}

/** The children with that name, in order; a text is one without attributes. */
export function all(parent: unknown, name: string): Element[] {
  const value = isElement(parent) ? parent[name] : undefined;
  return (Array.isArray(value) ? value : [value]).filter(isElement);
}

/** Of all children with the first name, their children with the second one, and so on. */
export function below(parent: unknown, ...names: readonly string[]): Element[] {
  return names.reduce<Element[]>((found, name) => found.flatMap((one) => all(one, name)), isElement(parent) ? [parent] : []);
}

/** Empty: it has none of that name. */
export function attribute(element: Element, name: string): string {
  const value = element[`@${name}`];
  return typeof value === 'string' ? value : '';
}

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

export function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => escapes[character] ?? character);
}
