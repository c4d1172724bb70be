/** An import of a program in another language is its text. */
declare module '*.pl' {
  const text: string;
  export = text;
}
declare module '*.sh' {
  const text: string;
  export = text;
}
