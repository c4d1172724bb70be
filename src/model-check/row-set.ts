import { rowLength } from './state.ts';

const emptySlot = -1;

export class RowSet {
  rows: Int32Array<ArrayBuffer>;
  size = 0;
  #slots: Int32Array<ArrayBuffer>;

  constructor(capacity = 1 << 12) {
    this.rows = new Int32Array(capacity * rowLength);
    this.#slots = new Int32Array(capacity * 2).fill(emptySlot);
  }

  #hash(rows: Int32Array, at: number): number {
    let hash = 0x811c9dc5;
    for (let word = 0; word < rowLength; word += 1) {
      hash = Math.imul(hash ^ (rows[at + word] ?? 0), 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    return hash >>> 0;
  }

  /** Returns the index. Added if new: compare `size`. */
  add(row: Int32Array): number {
    const mask = this.#slots.length - 1;
    for (let slot = this.#hash(row, 0) & mask; ; slot = (slot + 1) & mask) {
      const index = this.#slots[slot] ?? emptySlot;
      if (index === emptySlot) return this.#append(row, slot);
      if (this.#equals(index, row)) return index;
    }
  }

  #equals(index: number, row: Int32Array): boolean {
    const at = index * rowLength;
    for (let word = 0; word < rowLength; word += 1) if (this.rows[at + word] !== row[word]) return false;
    return true;
  }

  #append(row: Int32Array, slot: number): number {
    const index = this.size;
    if ((index + 1) * rowLength > this.rows.length) {
      const larger = new Int32Array(this.rows.length * 2);
      larger.set(this.rows);
      this.rows = larger;
    }
    this.rows.set(row, index * rowLength);
    this.#slots[slot] = index;
    this.size += 1;
    if (this.size * 2 > this.#slots.length) this.#rehash();
    return index;
  }

  #rehash(): void {
    this.#slots = new Int32Array(this.#slots.length * 2).fill(emptySlot);
    const mask = this.#slots.length - 1;
    for (let index = 0; index < this.size; index += 1) {
      let slot = this.#hash(this.rows, index * rowLength) & mask;
      while (this.#slots[slot] !== emptySlot) slot = (slot + 1) & mask;
      this.#slots[slot] = index;
    }
  }
}
