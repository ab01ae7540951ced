"""Registers the ids ``reward_synth/<Task>`` with Gymnasium; loads no simulator."""

from __future__ import annotations

import gymnasium as gym
from gymnasium.envs.registration import WrapperSpec

NAMESPACE = "reward_synth"
_MAKER = "reward_synth.api.ids:make_task"
_WRAPPER = "reward_synth.api.ids:RewardArm"
_TASKS = {
    "": """
        MountainCarContinuous-v0 MountainCar-v0 CartPole-v1 Pendulum-v1 Acrobot-v1
        Hopper-v5 HalfCheetah-v5 Walker2d-v5 Ant-v5 Humanoid-v5 HumanoidStandup-v5
        Swimmer-v5 Reacher-v5 Pusher-v5 InvertedPendulum-v5 InvertedDoublePendulum-v5
    """,
    "Behaviours/": """
        HopperForward-v0 HopperFrontFlip-v0 HopperBackFlip-v0 AntForward-v0
        AntLieDown-v0 AntWaveLeg-v0 AntTurnBack-v0 AntRollOver-v0 AntSit-v0
        AntLiftPaw-v0
    """,
    "ManiSkill/": """
        PickCube-v1 PushCube-v1 PullCube-v1 StackCube-v1 LiftPegUpright-v1
        PegInsertionSide-v1 RollBall-v1 PokeCube-v1 PlugCharger-v1
    """,
    "Robotics/": """
        FetchReach-v4 FetchPush-v4 FetchSlide-v4 FetchPickAndPlace-v4 HandReach-v3
        HandManipulateBlock-v1 HandManipulateBlockRotateZ-v1
        HandManipulateBlockRotateParallel-v1 HandManipulateBlockRotateXYZ-v1
        HandManipulateBlockFull-v1 HandManipulateEgg-v1 HandManipulateEggRotate-v1
        HandManipulateEggFull-v1 HandManipulatePen-v1 HandManipulatePenRotate-v1
        HandManipulatePenFull-v1 AdroitHandDoorSparse-v1 AdroitHandHammerSparse-v1
        AdroitHandPenSparse-v1 AdroitHandRelocateSparse-v1 PointMaze_UMaze-v3
        PointMaze_Open-v3 PointMaze_Open_Diverse_G-v3 PointMaze_Open_Diverse_GR-v3
        PointMaze_Medium-v3 PointMaze_Medium_Diverse_G-v3
        PointMaze_Medium_Diverse_GR-v3 PointMaze_Large-v3 PointMaze_Large_Diverse_G-v3
        PointMaze_Large_Diverse_GR-v3 AntMaze_UMaze-v5 AntMaze_Open-v5
        AntMaze_Open_Diverse_G-v5 AntMaze_Open_Diverse_GR-v5 AntMaze_Medium-v5
        AntMaze_Medium_Diverse_G-v5 AntMaze_Medium_Diverse_GR-v5 AntMaze_Large-v5
        AntMaze_Large_Diverse_G-v5 AntMaze_Large_Diverse_GR-v5 FrankaKitchen-v1
    """,
    "MetaWorld/": """
        drawer-close-v3 reach-v3 push-v3 pick-place-v3 door-open-v3 drawer-open-v3
        button-press-topdown-v3 peg-insert-side-v3 window-open-v3 window-close-v3
        button-press-v3 sweep-into-v3 door-unlock-v3 door-close-v3 handle-press-v3
        handle-press-side-v3 assembly-v3 basketball-v3 bin-picking-v3 box-close-v3
        button-press-topdown-wall-v3 button-press-wall-v3 coffee-button-v3
        coffee-pull-v3 coffee-push-v3 dial-turn-v3 disassemble-v3 door-lock-v3
        hand-insert-v3 faucet-open-v3 faucet-close-v3 hammer-v3 handle-pull-side-v3
        handle-pull-v3 lever-pull-v3 pick-place-wall-v3 pick-out-of-hole-v3
        plate-slide-v3 plate-slide-side-v3 plate-slide-back-v3
        plate-slide-back-side-v3 peg-unplug-side-v3 soccer-v3 stick-push-v3
        stick-pull-v3 push-wall-v3 push-back-v3 reach-wall-v3 shelf-place-v3 sweep-v3
    """,
    "ToolUse/": """
        ToolChoiceShop-v0 ToolChoiceCalendar-v0 ToolChoiceFiles-v0
    """,
    "Gridworld/": """
        GridFourRooms-v0 GridSlippery-v0 GridCliff-v0 GridKeyDoor-v0
    """,
    "NetHack/": """
        NetHackONI-Score-v0 NetHackONI-Oracle-v0 NetHackONI-OracleSober-v0
        NetHackONI-StaircaseLvl3-v0 NetHackONI-StaircaseLvl4-v0 NetHackONI-RewardFree-v0
        NetHackScore-v0 NetHackStaircase-v0 NetHackStaircasePet-v0 NetHackOracle-v0
        NetHackGold-v0 NetHackEat-v0 NetHackScout-v0
    """,
    "MiniHack/": """
        MiniHack-KeyRoom-S5-v0 MiniHack-KeyRoom-S15-v0 MiniHack-KeyRoom-Dark-S5-v0
        MiniHack-KeyRoom-Dark-S15-v0 MiniHack-Corridor-R2-v0 MiniHack-Corridor-R3-v0
        MiniHack-Corridor-R5-v0 MiniHack-Levitate-Potion-Restricted-v0
        MiniHack-Levitate-Boots-Restricted-v0 MiniHack-Freeze-Horn-Restricted-v0
        MiniHack-Freeze-Wand-Restricted-v0 MiniHack-Freeze-Random-Restricted-v0
        MiniHack-LavaCross-Restricted-v0 MiniHack-WoD-Hard-Restricted-v0
        MiniHack-MultiRoom-N4-Locked-v0 MiniHack-MultiRoom-N6-Lava-v0
        MiniHack-MultiRoom-N6-Lava-OpenDoor-v0 MiniHack-MultiRoom-N6-LavaMonsters-v0
        MiniHack-MultiRoom-N10-OpenDoor-v0 MiniHack-MultiRoom-N10-Lava-OpenDoor-v0
        MiniHack-LavaCrossingS19N13-v0 MiniHack-LavaCrossingS19N17-v0
        MiniHack-Labyrinth-Big-v0
    """,
}
"""Tasks by what stands before them in the name that the command line takes.

The same as in :mod:`reward_synth.envs.families`, which cannot be loaded here: Gymnasium
may be imported by the very modules that it needs. A test keeps the two equal.
"""


def id_of(task: str) -> str:
    """Return the id of a family's task: its name behind ``reward_synth/``.

    Gymnasium takes one slash in an id, so the family is left out.

    Example:
        >>> id_of("ManiSkill/PickCube-v1"), id_of("Hopper-v5")
        ('reward_synth/PickCube-v1', 'reward_synth/Hopper-v5')
    """
    return f"{NAMESPACE}/{task.rpartition('/')[2]}"


def names() -> list[str]:
    """Return the names of all tasks that have an id.

    Example:
        >>> names()[0], "Robotics/FetchReach-v4" in names()
        ('MountainCarContinuous-v0', True)
    """
    return [f"{start}{task}" for start, all_ in _TASKS.items() for task in all_.split()]


def register() -> None:
    """Register the tasks of all families, installed or not; again does nothing.

    Example:
        >>> import gymnasium as gym
        >>> register()
        >>> gym.spec("reward_synth/FetchReach-v4").kwargs
        {'env_name': 'Robotics/FetchReach-v4'}
    """
    reward = WrapperSpec("RewardArm", _WRAPPER, {})
    for name in names():
        if id_of(name) not in gym.registry:
            gym.register(
                id_of(name),
                _MAKER,
                order_enforce=False,  # what is made inside has both
                disable_env_checker=True,
                additional_wrappers=(reward,),
                kwargs={"env_name": name},
            )
