/** Text that is markup, and a way to make it in which everything else is escaped: nobody has to think of it. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type Content = Markup | string | number | null | readonly Content[];

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Also takes away what no page may hold: control characters other than line ends and tabs. */
export function escapeText(text: string): string {
  return text.replace(/(?![\t\n\r])\p{Cc}|[\ufffe\uffff]/gu, '\ufffd').replace(/[&<>"']/g, (one) => entities[one] ?? one);
}

function textOf(content: Content): string {
  if (content === null) return '';
  if (content instanceof Markup) return content.text;
  if (typeof content === 'string' || typeof content === 'number') return escapeText(String(content));
  return content.map(textOf).join('');
}

/** Template text is markup, what is filled in is escaped unless it is Markup itself. */
export function markup(strings: TemplateStringsArray, ...values: readonly Content[]): Markup {
  return new Markup(strings.map((text, index) => `${text}${textOf(values[index] ?? null)}`).join(''));
}
