import numpy as np
import pytest
import torch
from torch import nn

from grader.checks import GradeError
from grader.inference import accuracy, logits


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 3))


@pytest.fixture
def images():
    return torch.randn(10, 4, generator=torch.Generator().manual_seed(1))


def test_logits_do_not_depend_on_the_batch_size(model, images):
    whole = logits(model, images, 10, "cpu")
    assert whole.shape == (10, 3)
    assert whole.dtype == np.float32
    for size in (1, 3, 64):
        assert np.allclose(logits(model, images, size, "cpu"), whole, atol=1e-6)


def test_the_model_is_evaluated_and_given_back_as_it_was(model, images):
    model[1].eval()
    modes = [module.training for module in model.modules()]
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    assert np.array_equal(logits(model, images, 4, "cpu"), logits(model, images, 4, "cpu"))
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_half_precision_outputs_become_float32(images):
    assert logits(nn.Identity(), images.half(), 4, "cpu").dtype == np.float32


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_logits_on_a_gpu_equal_those_on_the_processor(model, images):
    expected = logits(model, images, 4, "cpu")
    assert np.allclose(logits(model, images, 4, "cuda"), expected, atol=1e-4)


@pytest.mark.parametrize("net", [nn.Flatten(0), nn.Unflatten(1, (2, 2)), nn.LSTM(4, 3)])
def test_outputs_that_are_not_a_row_of_logits_for_each_image_are_refused(net, images):
    with pytest.raises(GradeError, match="it must return"):
        logits(net, images, 4, "cpu")


def test_outputs_whose_width_changes_between_batches_are_refused(images):
    class Widening(nn.Module):
        def forward(self, batch):
            return batch[:, : len(batch)]

    with pytest.raises(GradeError, match="3 classes for one batch, 1 for another"):
        logits(Widening(), images, 3, "cpu")


def test_never_more_than_one_batch_is_asked_for_at_a_time_and_each_image_once(images):
    seen = []
    nothing = nn.Identity()
    nothing.register_forward_hook(lambda _module, asked, _outputs: seen.append(asked[0]))
    assert np.array_equal(logits(nothing, images, 4, "cpu"), images)
    assert [len(batch) for batch in seen] == [4, 4, 2]
    start = images.data_ptr()
    assert [batch.data_ptr() - start for batch in seen] == [0, 64, 128]  # views, not copies


def test_empty_images_and_batches_are_refused(model, images):
    with pytest.raises(GradeError, match="images is empty"):
        logits(model, images[:0], 4, "cpu")
    with pytest.raises(GradeError, match="batch_size is 0"):
        logits(model, images, 0, "cpu")


def test_accuracy_is_the_share_of_right_answers():
    outputs = np.array([[2.0, 1.0], [0.0, 1.0], [3.0, 1.0], [0.0, 5.0]])
    assert accuracy(outputs, np.array([0, 1, 1, 1])) == 0.75


def test_accuracy_refuses_labels_of_another_length():
    with pytest.raises(GradeError, match="labels has shape"):
        accuracy(np.zeros((2, 2)), [0])
