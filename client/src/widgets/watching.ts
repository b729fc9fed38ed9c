import { Component } from "preact";
import type { NodeProps } from "./session";

/**
 * A part of a form that watches its own node and draws itself again when that node changed, and
 * only then: a keystroke costs
 * the same in a form of ten questions and of a thousand.
 */
export abstract class Watching<P extends NodeProps, S = object> extends Component<P, S> {
  private stop: () => void = () => undefined;

  override componentDidMount(): void {
    this.stop = this.props.session.watch(this.props.node, () => this.forceUpdate());
  }

  override componentWillUnmount(): void {
    this.stop();
  }

  override shouldComponentUpdate(next: Readonly<P>, state: Readonly<S>): boolean {
    const { session, node, place } = this.props;
    const isOther = next.session !== session || next.node !== node || next.place !== place;
    return isOther || state !== this.state;
  }

  override componentDidUpdate(before: Readonly<P>): void {
    const { node, session } = this.props;
    if (before.node === node && before.session.watch === session.watch) return;
    this.stop();
    this.componentDidMount();
  }
}
