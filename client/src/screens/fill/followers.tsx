/** What follows a form that is filled in and shows nothing itself. A piece loaded when needed. */

import type { ComponentProps } from "preact";
import { ClockMoved } from "./clock_moved";
import { PhoneBack } from "./phone_back";

type FollowersProps = ComponentProps<typeof PhoneBack> & ComponentProps<typeof ClockMoved>;

export function Followers(props: FollowersProps) {
  return (
    <>
      <PhoneBack {...props} />
      <ClockMoved {...props} />
    </>
  );
}
