/** The toolkit's version, written into everything it renders. Same as package.json; a test says so. */
export const toolkitVersion = '0.1.0';
