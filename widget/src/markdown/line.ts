/** What is left of a line once its containers have taken their part; tabs reach to columns of four. */
export class Line {
  rest: string;
  #column = 0;

  constructor(source: string) {
    this.rest = source;
  }

  get blank(): boolean {
    return !/[^ \t]/.test(this.rest);
  }

  get indent(): number {
    let end = this.#column;
    for (const sign of this.rest) {
      if (sign == "\t") end += 4 - (end % 4);
      else if (sign == " ") end++;
      else break;
    }
    return end - this.#column;
  }

  /** Take that many columns of white space, or as many as there are. */
  takeIndent(columns: number): void {
    while (columns > 0 && /^[ \t]/.test(this.rest)) {
      const width = this.rest[0] == "\t" ? 4 - (this.#column % 4) : 1;
      const taken = Math.min(width, columns);
      this.rest = " ".repeat(width - taken) + this.rest.slice(1);
      this.#column += taken;
      columns -= taken;
    }
  }

  /** Take the white space before a mark, and the mark. */
  takeMark({ length }: string): void {
    this.takeIndent(this.indent);
    this.rest = this.rest.slice(length);
    this.#column += length;
  }

  /** Take the mark of a quote and the space after it, if they are there. */
  takeQuote(): boolean {
    if (this.indent > 3 || this.rest.trimStart()[0] != ">") return false;
    this.takeMark(">");
    this.takeIndent(1);
    return true;
  }
}
