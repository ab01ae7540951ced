"""Meta-World's tasks of MT10 and of Text2Reward: words, rules and fields."""

from __future__ import annotations

from reward_synth.envs.metaworld_fields import (
    GRASPED,
    Known,
    goal,
    level,
    near,
    place,
    thing,
)

_PUCK = thing("puck", "the puck", "body.obj", "body.obj", "xyzw")
_BLOCK_XYZW = thing("block", "the block", "body.obj", "body.obj", "xyzw")
_DOOR_HANDLE = thing(
    "handle", "the door's handle", "geom.handle", "geom.handle", "xyzw"
)

HEADLINE: dict[str, Known] = {
    "drawer-close-v3": Known(
        "Push the drawer shut.",
        near("handle_pos", 0.065),
        (
            *thing("handle", "the drawer's handle, 0.05 m above its middle"),
            goal(
                "where the handle is when the drawer is shut; 0.01 m above the middle"
            ),
        ),
    ),
    "reach-v3": Known(
        "Move the fingertips to the goal in the air.",
        near("tcp_pos", 0.05),
        (
            *thing(
                "puck",
                "a puck without a part in the task",
                "body.obj",
                "body.obj",
                "xyzw",
            ),
            goal("where the fingertips are to be"),
        ),
    ),
    "push-v3": Known(
        "Push the puck over the table to the goal.",
        near("puck_pos", 0.05),
        (*_PUCK, goal("where the puck is to be, on the table"), GRASPED),
    ),
    "pick-place-v3": Known(
        "Grasp the puck and bring it to the goal in the air.",
        near("puck_pos", 0.07),
        (*_PUCK, goal("where the puck is to be"), GRASPED),
    ),
    "door-open-v3": Known(
        "Open the door by its handle.",
        level("handle_pos", 0, 0.08),
        (*_DOOR_HANDLE, goal("where the handle is when the door is open")),
    ),
    "drawer-open-v3": Known(
        "Pull the drawer open by its handle.",
        near("handle_pos", 0.03),
        (
            *thing("handle", "the drawer's handle"),
            goal("where the handle is when the drawer is open"),
        ),
    ),
    "button-press-topdown-v3": Known(
        "Press the button down from above.",
        level("button_pos", 2, 0.024),
        (
            *thing("button", "the button's front"),
            goal("where the button is when pressed"),
        ),
    ),
    "peg-insert-side-v3": Known(
        "Grasp the peg and put its head into the hole in the side of the box.",
        near("peg_head_pos", 0.07, (1, 2, 2)),
        (
            *thing(
                "peg", "where to grasp the peg", "site.pegGrasp", "body.peg", "xyzw"
            ),
            goal("where the peg's head is to be, in the hole"),
            place("peg_head_pos", "position of the peg's head", "site.pegHead.xpos"),
        ),
    ),
    "window-open-v3": Known(
        "Slide the window open by its handle, along +x.",
        level("handle_pos", 0, 0.05),
        (
            *thing("handle", "the window's handle", "site.handleOpenStart"),
            goal("where the handle is when the window is open"),
        ),
    ),
    "window-close-v3": Known(
        "Slide the window shut by its handle, along -x.",
        level("handle_pos", 0, 0.05),
        (
            *thing("handle", "the window's handle", "site.handleCloseStart"),
            goal("where the handle is when the window is shut"),
        ),
    ),
    "button-press-v3": Known(
        "Press the button into the wall, along +y.",
        level("button_pos", 1, 0.02),
        (
            *thing("button", "the button's front"),
            goal("where the button is when pressed"),
        ),
    ),
    "sweep-into-v3": Known(
        "Sweep the block over the table into the hole.",
        "np.linalg.norm(block_pos[0:2] - goal_pos[0:2]) <= 0.05",
        (*_BLOCK_XYZW, goal("the middle of the hole"), GRASPED),
    ),
    "door-unlock-v3": Known(
        "Unlock the door by turning the lock to the right, along +x.",
        level("lock_pos", 0, 0.02),
        (
            *thing("lock", "the lock's knob", "site.lockStartUnlock"),
            goal("where the knob is when the door is unlocked"),
        ),
    ),
    "door-close-v3": Known(
        "Push the door shut.",
        near("handle_pos", 0.08),
        (*_DOOR_HANDLE, goal("where the handle is when the door is shut")),
    ),
    "handle-press-v3": Known(
        "Press the handle down.",
        level("handle_pos", 2, 0.02),
        (
            *thing("handle", "the handle", "site.handleStart"),
            goal("where the handle is when pressed"),
        ),
    ),
    "handle-press-side-v3": Known(
        "Press the handle, which points sideways, down.",
        level("handle_pos", 2, 0.02),
        (
            *thing("handle", "the handle", "site.handleStart"),
            goal("where the handle is when pressed"),
        ),
    ),
}
