/** Programs of other languages are files; an import of one is its text. */
declare module '*.pl' {
  const text: string;
  export = text;
}
declare module '*.sh' {
  const text: string;
  export = text;
}
