"""The camera of a phone beside its torch: poses, light on the label's plane, and what becomes of it in a picture.

Lengths are millimetres. The label lies in the plane of x (right) and y (down); the third axis is the height above
it, towards the camera. Everything that is random comes from the caller's generator. Modelled: perspective, rolling
shutter, bent labels, motion blur and defocus, vignetting, white balance, automatic exposure, shot and read noise,
local tone mapping, the response curve, what a video codec does (coarse quantisation, blocks carried over from the
frame before), JPEG. Not modelled: lens distortion, interreflection, polarisation.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Wide = NDArray[np.float64]
Bytes = NDArray[np.uint8]

GRID: Final = 16  # pixels between the nodes at which rays are followed; between them the map is smooth
_LEVELS: Final = 4096
_STRIP: Final = 32  # rows
_GRAINS: Final = 1 << 22


class Camera(msgspec.Struct, frozen=True, kw_only=True):
    """What stays the same during one clip."""

    width: int
    height: int
    focal: float  # pixels
    torch: tuple[float, float]  # from the lens, along the picture's right and down
    noise: float  # standard deviation at full exposure, of 1
    read_noise: float
    vignette: float  # light lost in the corner, of 1
    balance: tuple[float, float, float]  # gains of blue, green, red
    exposure: float  # where the bright part of the label comes to lie, of 1
    gamma: float
    shoulder: float  # how much the response bends at its bright end, of 1
    tone_mapping: float  # how far local contrast is flattened, of 1
    defocus: float  # standard deviation, pixels
    quality: int  # of the JPEG
    codec: float = 0.0  # 0: single pictures; up to 1: a strongly compressed video


class Pose(msgspec.Struct, frozen=True, kw_only=True):
    """Where the camera stands in one frame, and how it moved while the shutter was open."""

    centre: tuple[float, float, float]
    target: tuple[float, float]  # the point of the label that it looks at
    roll: float  # radians
    smear: tuple[float, float] = (0.0, 0.0)  # pixels that the picture moved during the exposure
    skew: tuple[float, float] = (0.0, 0.0)  # pixels that it moved from the first row to the last
    defocus: float = 0.0  # beside the camera's own, pixels


class Light(msgspec.Struct, frozen=True, kw_only=True):
    """A lamp or window far away."""

    direction: tuple[float, float]  # tangential part of the unit vector towards it
    strength: float  # of the torch on white paper
    spread: float  # its angular radius, radians
    colour: tuple[float, float, float] = (1.0, 1.0, 1.0)  # blue, green, red


class Rays(msgspec.Struct, frozen=True):
    """Towards the camera and the torch from points of the label: unit vectors, and the light that arrives."""

    view: Floats  # (n, 3)
    torch: Floats  # (n, 3)
    irradiance: Floats  # (n,): 1 on paper below the torch at the usual distance


def axes(pose: Pose) -> Wide:
    """The rows are the camera's right, down and forward in the label's frame."""
    centre = np.array(pose.centre)
    forward = np.array([pose.target[0], pose.target[1], 0.0]) - centre
    forward /= np.linalg.norm(forward)
    down = np.array([0.0, 1.0, 0.0]) - forward[1] * forward
    down /= np.linalg.norm(down)
    right = np.array([1.0, 0.0, 0.0])
    right -= (right @ forward) * forward + (right @ down) * down
    right /= np.linalg.norm(right)
    cos, sin = np.cos(pose.roll), np.sin(pose.roll)
    return np.stack([cos * right + sin * down, cos * down - sin * right, forward])


def homography(camera: Camera, pose: Pose) -> Wide:
    """From millimetres in the label's plane to pixels."""
    rotation = axes(pose)
    intrinsic = np.array(
        [[camera.focal, 0, (camera.width - 1) / 2], [0, camera.focal, (camera.height - 1) / 2], [0, 0, 1]]
    )
    plane = np.column_stack([rotation[:, 0], rotation[:, 1], -rotation @ np.array(pose.centre)])
    return np.asarray(intrinsic @ plane)


def rays(points: Floats, camera: Camera, pose: Pose, distance: float) -> Rays:
    """What leaves and meets points of the label's plane; ``distance`` is where the torch gives 1 on paper."""
    rotation = axes(pose)
    centre = np.array(pose.centre)
    source = centre + camera.torch[0] * rotation[0] + camera.torch[1] * rotation[1]
    to_view = (centre - _raised(points)).astype(np.float32)
    to_torch = (source - _raised(points)).astype(np.float32)
    view = to_view / np.linalg.norm(to_view, axis=1, keepdims=True)
    range_ = np.linalg.norm(to_torch, axis=1)
    torch = to_torch / range_[:, None]
    beam = np.exp(-(1.0 + torch @ rotation[2].astype(np.float32)) / 0.25)  # a torch is brightest ahead
    return Rays(view, torch, (beam * torch[:, 2] * (distance / range_) ** 2).astype(np.float32))


def _raised(points: Floats) -> Wide:
    return np.column_stack([points, np.zeros(len(points))])


class Picture(msgspec.Struct, frozen=True):
    """Linear light in the part of a frame that shows the textured square; around it the pack goes on evenly."""

    light: Floats  # (rows, columns, 3)
    left: int
    top: int


def project(
    texture: Floats, density: float, origin: float, camera: Camera, pose: Pose, bend: float
) -> Picture:
    """The picture of a texture that covers the label's plane from (origin, origin), density texels a mm.

    ``bend`` is the curvature (1/mm) of a label that lies on a cylinder standing upright.
    """
    forward = homography(camera, pose)
    left, top, right, bottom = _seen(forward, len(texture) / density, origin, camera)
    inverse = np.linalg.inv(forward)
    if not bend:  # what the rolling shutter does is a shear, so that all is one homography
        sheared = np.array(
            [
                [1, -pose.skew[0] / camera.height, 0.5 * pose.skew[0]],
                [0, 1 - pose.skew[1] / camera.height, 0.5 * pose.skew[1]],
                [0, 0, 1],
            ]
        )
        to_texels = np.array(
            [[density, 0, -origin * density - 0.5], [0, density, -origin * density - 0.5], [0, 0, 1]]
        )
        to_frame = np.array([[1, 0, left], [0, 1, top], [0, 0, 1]], np.float64)
        light = cv2.warpPerspective(
            texture,
            to_texels @ inverse @ sheared @ to_frame,
            (right - left, bottom - top),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        light = _smeared(light, pose.smear, camera.defocus + pose.defocus)
        return Picture(np.asarray(light, dtype=np.float32), left, top)
    nodes_x = np.arange(left, right + GRID, GRID, dtype=np.float64)
    nodes_y = np.arange(top, bottom + GRID, GRID, dtype=np.float64)
    across, along = np.meshgrid(nodes_x, nodes_y)
    row = along / camera.height - 0.5
    x, y = across - pose.skew[0] * row, along - pose.skew[1] * row
    depth = inverse[2, 0] * x + inverse[2, 1] * y + inverse[2, 2]
    u = (inverse[0, 0] * x + inverse[0, 1] * y + inverse[0, 2]) / depth
    v = (inverse[1, 0] * x + inverse[1, 1] * y + inverse[1, 2]) / depth
    flat_u, flat_v = u, v
    for _ in range(2):
        rise = -0.5 * bend * u**2 / pose.centre[2]
        u, v = flat_u + rise * (pose.centre[0] - flat_u), flat_v + rise * (pose.centre[1] - flat_v)
    nodes = np.stack([(u - origin) * density - 0.5, (v - origin) * density - 0.5], axis=2).astype(np.float32)
    between = np.array([[1 / GRID, 0, 0], [0, 1 / GRID, 0]])
    maps = cv2.warpAffine(
        nodes, between, (right - left, bottom - top), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )
    light = cv2.remap(texture, maps, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    light = _smeared(light, pose.smear, camera.defocus + pose.defocus)
    return Picture(np.asarray(light, dtype=np.float32), left, top)


def _seen(forward: Wide, side: float, origin: float, camera: Camera) -> tuple[int, int, int, int]:
    corners = np.array([(origin + x * side, origin + y * side, 1.0) for x in (0, 1) for y in (0, 1)])
    mapped = corners @ forward.T
    pixels = mapped[:, :2] / mapped[:, 2:]
    low = np.clip(np.floor(pixels.min(axis=0)).astype(int), 0, (camera.width - 64, camera.height - 64))
    high = np.clip(np.ceil(pixels.max(axis=0)).astype(int), low + 64, (camera.width, camera.height))
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _smeared(picture: Any, smear: tuple[float, float], defocus: float) -> Any:
    length = float(np.hypot(*smear))
    if length > 0.7:
        size = 2 * int(np.ceil(length / 2)) + 3
        kernel = np.zeros((size * 4, size * 4), np.uint8)
        middle = size * 2
        tip = (round(middle + 2 * smear[0]), round(middle + 2 * smear[1]))
        tail = (round(middle - 2 * smear[0]), round(middle - 2 * smear[1]))
        cv2.line(kernel, tail, tip, 255, 4)
        small = cv2.resize(kernel.astype(np.float32), (size, size), interpolation=cv2.INTER_AREA)
        picture = cv2.filter2D(picture, -1, small / small.sum())
    if defocus > 0.25:
        reach = 2 * int(np.ceil(3 * defocus)) + 1
        picture = cv2.GaussianBlur(picture, (reach, reach), defocus)
    return picture


class Sensor:
    """Makes frames of a camera out of linear pictures; keeps what exposure and codec carry from one to the next."""

    def __init__(self, camera: Camera, random: np.random.Generator) -> None:
        self._camera = camera
        self._random = random
        self._gain: float | None = None
        self._previous: Bytes | None = None
        self._shading = _shading(camera)
        self._response = _response(camera)

    def photograph(self, picture: Picture) -> bytes:
        """The JPEG of one frame."""
        camera = self._camera
        light = picture.light
        rows = slice(picture.top, picture.top + light.shape[0])
        columns = slice(picture.left, picture.left + light.shape[1])
        gains = self._exposed(light, self._shading[rows, columns])
        grain = self._grain_of(light.shape)
        frame = np.empty((camera.height, camera.width, 3), np.uint8)
        part = frame[rows, columns]
        # A few rows at a time, which stay in the processor's cache.
        for first in range(0, len(light), _STRIP):
            strip = slice(first, first + _STRIP)
            part[strip] = self._developed(light[strip], gains[strip], grain[strip])
        around = np.median(part[:: max(1, len(part) - 1)], axis=(0, 1)).astype(np.uint8)
        frame[: rows.start] = frame[rows.stop :] = around
        frame[rows, : columns.start] = frame[rows, columns.stop :] = around
        return encoded(self._coded(frame) if camera.codec else frame, camera.quality)

    def _exposed(self, light: Floats, shading: Floats) -> Floats:
        """What multiplies the light of each pixel: vignetting, the exposure that follows the light, tone mapping."""
        camera = self._camera
        bright = camera.balance[1] * float(np.percentile(light[::8, ::8, 1] * shading[::8, ::8], 90.0))
        wanted = camera.exposure / max(bright, 1e-6)
        self._gain = wanted if self._gain is None else self._gain * (wanted / self._gain) ** 0.4
        if not camera.tone_mapping:
            return shading * np.float32(self._gain)
        size = (light.shape[1] // 8, light.shape[0] // 8)
        small = cv2.resize(light, size, interpolation=cv2.INTER_AREA) @ (
            np.array(camera.balance, np.float32) * np.float32(self._gain / 3)
        )
        small *= cv2.resize(shading, size, interpolation=cv2.INTER_AREA)
        return shading * (np.float32(self._gain) * _flattening(small, camera.tone_mapping, light.shape))

    def _developed(self, light: Floats, gains: Floats, grain: Floats) -> Bytes:
        """Some rows: exposed, with noise, through the response curve."""
        camera = self._camera
        light = light * cv2.merge([gains * np.float32(balance) for balance in camera.balance])
        noise = light * np.float32(camera.noise**2)
        noise += np.float32(camera.read_noise**2)
        np.sqrt(noise, out=noise)
        noise *= grain
        light += noise
        light *= np.float32(_LEVELS - 1)
        np.clip(light, 0, _LEVELS - 1, out=light)
        return np.asarray(self._response.take(light.astype(np.intp)))

    def _grain_of(self, shape: tuple[int, ...]) -> Floats:
        """Noise, cut anew for each frame from more of it."""
        count = int(np.prod(shape))
        grain = _noise(max(_GRAINS, 1 << (count.bit_length() + 1)))
        start = int(self._random.integers(0, len(grain) - count))
        return grain[start : start + count].reshape(shape)

    def _coded(self, frame: Bytes) -> Bytes:
        """Coarse quantisation, and blocks that hardly changed are not sent again."""
        coarse = cv2.imdecode(
            np.frombuffer(encoded(frame, int(90 - 55 * self._camera.codec)), np.uint8), cv2.IMREAD_COLOR
        )
        assert coarse is not None
        if self._previous is not None:
            blue, green, red = cv2.split(cv2.absdiff(coarse, self._previous))
            change = cv2.max(cv2.max(blue, green), red)
            size = (self._camera.width // 16, self._camera.height // 16)
            blocks = cv2.resize(change, size, interpolation=cv2.INTER_AREA) < 2.5 * self._camera.codec
            still = cv2.resize(
                blocks.astype(np.uint8), (frame.shape[1], frame.shape[0]), interpolation=cv2.INTER_NEAREST
            )
            cv2.copyTo(self._previous, still, coarse)
        self._previous = np.asarray(coarse, dtype=np.uint8)
        return self._previous


def encoded(picture: Bytes, quality: int) -> bytes:
    """A JPEG with the colours at half resolution, as phones write it."""
    done, data = cv2.imencode(
        ".jpg",
        picture,
        [
            cv2.IMWRITE_JPEG_QUALITY,
            quality,
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
        ],
    )
    assert done
    return data.tobytes()


@lru_cache(maxsize=1)
def _noise(size: int) -> Floats:
    return np.random.Generator(np.random.PCG64(size)).standard_normal(size, dtype=np.float32)


def _shading(camera: Camera) -> Floats:
    """Of each pixel, what a lens leaves of the light towards the corners."""
    x = ((np.arange(camera.width) - camera.width / 2) / (camera.width / 2)).astype(np.float32)
    y = ((np.arange(camera.height) - camera.height / 2) / (camera.height / 2)).astype(np.float32)
    strength = np.float32(camera.vignette / 2)
    return np.asarray((1 - strength * y**2)[:, None] - strength * x**2, dtype=np.float32)


def _response(camera: Camera) -> Bytes:
    x = np.linspace(0, 1, _LEVELS)
    bent = x * (1 + camera.shoulder) / (1 + camera.shoulder * x)
    return np.asarray(np.rint(255 * bent ** (1 / camera.gamma)), dtype=np.uint8)


def _flattening(small: Floats, strength: float, shape: tuple[int, ...]) -> Floats:
    """Local tone mapping, from an eighth of the picture: the light of the surroundings is partly divided out."""
    around = cv2.GaussianBlur(small, (0, 0), small.shape[0] / 12) + 0.05
    factor = (float(np.median(around)) / around) ** (0.5 * strength)
    return np.asarray(cv2.resize(factor.astype(np.float32), (shape[1], shape[0])), dtype=np.float32)


def diffuse(found: Rays, lights: Sequence[Light]) -> Floats:
    """Light that a matt white point sends back, (n, 3)."""
    light = found.irradiance[:, None] * np.ones(3, np.float32)
    for lamp in lights:
        upward = max(1e-3, 1 - float(np.hypot(*lamp.direction)) ** 2) ** 0.5
        light = light + np.float32(lamp.strength * upward) * np.array(lamp.colour, np.float32)
    return np.asarray(light, dtype=np.float32)
