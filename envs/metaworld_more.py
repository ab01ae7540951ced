"""Meta-World's other tasks: words, rules and fields."""

from __future__ import annotations

from reward_synth.envs.metaworld_fields import (
    GRASPED,
    Known,
    angle,
    goal,
    level,
    near,
    place,
    thing,
)

_BLOCK = thing("block", "the block", "body.obj", "body.obj", "wxyz")
_BLOCK_XYZW = thing("block", "the block", "body.obj", "body.obj", "xyzw")
_PUCK = thing("puck", "the puck", "body.obj", "body.obj", "xyzw")
_SPARE = thing(
    "puck", "a puck without a part in the task", "body.obj", "body.obj", "xyzw"
)
_MUG = thing("mug", "the mug", "body.obj", "body.obj", "xyzw")
_PLATE = thing("plate", "the plate, a puck", "geom.puck")
_NUT = thing("nut", "the nut's handle", "site.RoundNut-8", "body.RoundNut", "wxyz")
_STICK = thing("stick", "the stick", "body.stick", "body.stick", "xyzw")
_BUTTON = thing("button", "the button's front")
_PRESSED = goal("where the button is when pressed")
_ON_TABLE = goal("where the puck is to be, on the table")
_PLATE_GOAL = goal("where the plate is to be")
_PULLED = goal("where the handle is when pulled up")

MORE: dict[str, Known] = {
    "assembly-v3": Known(
        "Grasp the nut by its handle and put it over the peg.",
        "np.linalg.norm(nut_centre_pos[0:2] - goal_pos[0:2]) < 0.02 "
        "and nut_centre_pos[2] < goal_pos[2]",
        (
            *_NUT,
            goal("the top of the peg"),
            place("nut_centre_pos", "middle of the nut's ring", "site.RoundNut.xpos"),
        ),
    ),
    "basketball-v3": Known(
        "Grasp the ball and drop it into the basket.",
        "np.sqrt((ball_pos[0] - goal_pos[0]) ** 2 + (ball_pos[1] - goal_pos[1]) ** 2 "
        "+ (2 * (ball_pos[2] - 0.3)) ** 2) <= 0.08",
        (
            *thing("ball", "the ball", "body.bsktball", "body.bsktball", "wxyz"),
            goal("in the basket"),
        ),
    ),
    "bin-picking-v3": Known(
        "Grasp the block in one bin and bring it to the other bin.",
        near("block_pos", 0.05),
        (*_BLOCK, goal("the other bin")),
    ),
    "box-close-v3": Known(
        "Grasp the lid by its handle and put it on the box.",
        "np.linalg.norm(lid_pos - goal_pos) < 0.08",
        (
            *thing("lid", "the lid", "body.top_link", "body.top_link", "wxyz"),
            goal("where the lid is to be"),
        ),
    ),
    "button-press-topdown-wall-v3": Known(
        "Reach over the wall and press the button down from above.",
        level("button_pos", 2, 0.024),
        (*_BUTTON, _PRESSED),
    ),
    "button-press-wall-v3": Known(
        "Reach over the wall and press the button, along +y.",
        level("button_pos", 1, 0.03),
        (*_BUTTON, _PRESSED),
    ),
    "coffee-button-v3": Known(
        "Press the coffee machine's button, along +y.",
        level("button_pos", 1, 0.02),
        (*thing("button", "the button", "site.buttonStart"), _PRESSED),
    ),
    "coffee-pull-v3": Known(
        "Pull the mug away from the coffee machine to the goal.",
        near("mug_pos", 0.07),
        (*_MUG, goal("where the mug is to be")),
    ),
    "coffee-push-v3": Known(
        "Push the mug under the coffee machine.",
        near("mug_pos", 0.07),
        (*_MUG, goal("where the mug is to be")),
    ),
    "dial-turn-v3": Known(
        "Turn the dial by half a turn.",
        near("dial_pos", 0.07),
        (
            *thing("dial", "the dial's pointer, 0.05 m from its middle"),
            goal("where the pointer is to be"),
            angle("dial_angle", "how far the dial is turned", "knob_Joint_1"),
        ),
    ),
    "disassemble-v3": Known(
        "Grasp the nut by its handle and lift it off the peg.",
        "nut_pos[2] > goal_pos[2]",
        (*_NUT, goal("above the peg; only its height counts")),
    ),
    "door-lock-v3": Known(
        "Lock the door by turning the lock down.",
        level("lock_pos", 2, 0.02),
        (
            *thing("lock", "the lock's knob", "site.lockStartLock"),
            goal("where the knob is when the door is locked"),
        ),
    ),
    "hand-insert-v3": Known(
        "Grasp the block and put it into the hole in the table.",
        near("block_pos", 0.05),
        (*_BLOCK, goal("in the hole, where the block is to be"), GRASPED),
    ),
    "faucet-open-v3": Known(
        "Turn the faucet's handle so that the faucet opens.",
        "np.linalg.norm(handle_pos + np.array([-0.04, 0.0, 0.03]) - goal_pos) <= 0.07",
        (
            *thing("handle", "the handle's end, 0.01 m below its site"),
            goal("where the handle's end is when the faucet is open"),
        ),
    ),
    "faucet-close-v3": Known(
        "Turn the faucet's handle so that the faucet shuts.",
        near("handle_pos", 0.07),
        (
            *thing("handle", "the handle's end, 0.01 m below its site"),
            goal("where the handle's end is when the faucet is shut"),
        ),
    ),
    "hammer-v3": Known(
        "Grasp the hammer and drive the nail into the wall.",
        "nail_depth > 0.09",
        (
            *thing("hammer", "the hammer", "body.hammer", "body.hammer", "wxyz"),
            *thing("nail", "the nail", "body.nail_link", number=1),
            goal("where the nail's head is when the nail is driven in"),
            angle("nail_depth", "how far the nail is in", "NailSlideJoint", "m"),
        ),
    ),
    "handle-pull-side-v3": Known(
        "Pull the handle, which points sideways, up.",
        near("handle_pos", 0.08),
        (*thing("handle", "the handle's middle", "site.handleCenter"), _PULLED),
    ),
    "handle-pull-v3": Known(
        "Pull the handle up.",
        level("handle_pos", 2, 0.05),
        (*thing("handle", "the handle's right end", "site.handleRight"), _PULLED),
    ),
    "lever-pull-v3": Known(
        "Pull the lever up by a quarter turn.",
        "np.abs(lever_angle + np.pi / 2) <= np.pi / 24",
        (
            *thing(
                "lever", "the lever's end", "site.leverStart", "geom.objGeom", "xyzw"
            ),
            goal("where the lever's end is when pulled"),
            angle("lever_angle", "0 at the start, -pi / 2 when pulled", "LeverAxis"),
        ),
    ),
    "pick-place-wall-v3": Known(
        "Grasp the puck, lift it over the wall, and bring it to the goal.",
        near("puck_pos", 0.07),
        (*_PUCK, goal("where the puck is to be"), GRASPED),
    ),
    "pick-out-of-hole-v3": Known(
        "Grasp the block in the hole and bring it to the goal.",
        near("block_pos", 0.07),
        (*_BLOCK, goal("where the block is to be")),
    ),
    "plate-slide-v3": Known(
        "Slide the plate away, along +y, into the goal.",
        near("plate_pos", 0.07),
        (*_PLATE, _PLATE_GOAL),
    ),
    "plate-slide-side-v3": Known(
        "Slide the plate sideways into the goal.",
        near("plate_pos", 0.07),
        (*_PLATE, _PLATE_GOAL),
    ),
    "plate-slide-back-v3": Known(
        "Slide the plate out of the goal towards the robot.",
        near("plate_pos", 0.07),
        (*_PLATE, _PLATE_GOAL),
    ),
    "plate-slide-back-side-v3": Known(
        "Slide the plate out of the goal sideways.",
        near("plate_pos", 0.07),
        (*_PLATE, _PLATE_GOAL),
    ),
    "peg-unplug-side-v3": Known(
        "Pull the peg out of the hole sideways, along +x.",
        near("peg_pos", 0.07),
        (
            *thing("peg", "the peg's end", "site.pegEnd", "body.plug1", "wxyz"),
            goal("where the peg's end is to be"),
        ),
    ),
    "soccer-v3": Known(
        "Push the ball into the goal.",
        near("ball_pos", 0.07),
        (
            *thing("ball", "the ball", "body.soccer_ball", "body.soccer_ball", "xyzw"),
            goal("in the goal, where the ball is to be"),
        ),
    ),
    "stick-push-v3": Known(
        "Grasp the stick and push the container with it to the goal.",
        "the distance of container_pos and goal_pos is <= 0.12 m while the stick is "
        "grasped and lifted by 0.01 m",
        (
            *_STICK,
            *thing("container", "the container", number=1),
            goal("where the container is to be"),
            GRASPED,
        ),
        exact=False,
    ),
    "stick-pull-v3": Known(
        "Grasp the stick, put it into the container's handle, and pull the container "
        "with it to the goal.",
        "np.linalg.norm(container_pos - goal_pos) <= 0.12 "
        "and stick_end_pos[0] >= container_pos[0] "
        "and np.abs(stick_end_pos[1] - container_pos[1]) <= 0.04 "
        "and np.abs(stick_end_pos[2] - container_pos[2]) <= 0.06",
        (
            *_STICK,
            *thing("container", "the container's handle", "site.insertion", number=1),
            goal("where the container's handle is to be"),
            place("stick_end_pos", "the stick's end", "site.stick_end.xpos"),
            GRASPED,
        ),
    ),
    "push-wall-v3": Known(
        "Push the puck around the wall to the goal.",
        near("puck_pos", 0.07),
        (*_PUCK, _ON_TABLE, GRASPED),
    ),
    "push-back-v3": Known(
        "Push the block towards the robot to the goal.",
        near("block_pos", 0.07),
        (*_BLOCK_XYZW, goal("where the block is to be, on the table"), GRASPED),
    ),
    "reach-wall-v3": Known(
        "Reach over the wall and move the fingertips to the goal.",
        near("tcp_pos", 0.05),
        (
            *_SPARE,
            goal("where the fingertips are to be"),
        ),
    ),
    "shelf-place-v3": Known(
        "Grasp the block and put it on the shelf.",
        near("block_pos", 0.07),
        (*_BLOCK_XYZW, goal("where the block is to be, on the shelf"), GRASPED),
    ),
    "sweep-v3": Known(
        "Sweep the block over the table's edge to the goal.",
        near("block_pos", 0.05),
        (*_BLOCK, goal("where the block is to be"), GRASPED),
    ),
}
"""All but those of :mod:`reward_synth.envs.metaworld_headline`."""
