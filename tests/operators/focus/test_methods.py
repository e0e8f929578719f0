"""Options of the methods of focus stacking."""

import pytest

from napari_stack.operators import Auto, DepthMap, Pyramid


@pytest.mark.parametrize(
    ("method", "options", "said"),
    [
        (DepthMap, {"blur_size": 4}, "DepthMap: blur_size must be odd, got 4"),
        (DepthMap, {"kernel_size": 2}, "DepthMap: kernel_size must be odd, got 2"),
        (DepthMap, {"energy": "best"}, "energy must be"),
        (Pyramid, {"kernel_size": 4}, "Pyramid: kernel_size must be odd, got 4"),
        (Pyramid, {"kernel_parameter": 0.7}, "kernel_parameter must be"),
        (Auto, {"reach": -1}, "reach must be"),
    ],
)
def test_what_is_out_of_range_is_refused(method, options, said):
    with pytest.raises(ValueError, match=said):
        method(**options)
