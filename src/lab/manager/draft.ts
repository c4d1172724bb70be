/** A transition in progress, only inside a reduce call. */
import type { ClusterState, Effect, MemberName, MemberState, Operation, PackageName, PackageState, Transition } from './model.ts';

export class Draft {
  #state: ClusterState;
  readonly #effects: Effect[] = [];

  constructor(state: ClusterState) {
    this.#state = state;
  }

  get state(): ClusterState {
    return this.#state;
  }

  get packages(): PackageState[] {
    return packagesOf(this.#state);
  }

  package(name: PackageName): PackageState | undefined {
    return Object.hasOwn(this.#state.packages, name) ? this.#state.packages[name] : undefined;
  }

  member(name: MemberName): MemberState | undefined {
    return Object.hasOwn(this.#state.members, name) ? this.#state.members[name] : undefined;
  }

  spare(name: MemberName): MemberState | undefined {
    return Object.hasOwn(this.#state.spares, name) ? this.#state.spares[name] : undefined;
  }

  setCluster(patch: Partial<ClusterState>): void {
    this.#state = { ...this.#state, ...patch };
  }

  setPackage(name: PackageName, patch: Partial<PackageState>): void {
    const before = this.package(name);
    if (before !== undefined) this.setCluster({ packages: { ...this.#state.packages, [name]: { ...before, ...patch } } });
  }

  setMember(name: MemberName, patch: Partial<MemberState>): void {
    const before = this.member(name);
    if (before !== undefined) this.setCluster({ members: { ...this.#state.members, [name]: { ...before, ...patch } } });
  }

  setSpare(name: MemberName, patch: Partial<MemberState>): void {
    const before = this.spare(name);
    if (before !== undefined) this.setCluster({ spares: { ...this.#state.spares, [name]: { ...before, ...patch } } });
  }

  setOperation(operation: Operation): void {
    const others = this.#state.operations.filter((one) => one.request !== operation.request);
    this.setCluster({ operations: [...others, operation] });
  }

  dropOperation(request: string): void {
    this.setCluster({ operations: this.#state.operations.filter((one) => one.request !== request) });
  }

  emit(effect: Effect): void {
    this.#effects.push(effect);
  }

  log(text: string, about: { readonly member?: MemberName | null; readonly package?: PackageName } = {}): void {
    this.emit({ kind: 'log', member: about.member ?? null, package: about.package ?? null, text });
  }

  reply(request: string, lines: readonly string[], errorLines: readonly string[]): void {
    this.emit({ kind: 'reply', request, exitCode: errorLines.length === 0 ? 0 : 1, lines, errorLines });
  }

  transition(): Transition {
    return { state: this.#state, effects: this.#effects };
  }
}

export function packagesOf(state: ClusterState): PackageState[] {
  return Object.values(state.packages).sort((one, other) => one.id - other.id);
}
