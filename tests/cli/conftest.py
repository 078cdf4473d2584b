from command_line import suyuan

__all__ = ["suyuan"]
