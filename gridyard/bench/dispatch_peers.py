"""The same split by general solvers: PIQP (for development), HiGHS without the square term.

What they get is the problem of `gateway.domain.dispatch.problem` with the powers in kW.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module, util
from typing import Any

import numpy as np

from gateway.domain.dispatch.problem import Problem, Table, Vector

_KILO = 1e3
Matrix = Any
"""Of scipy, which has no types of its own here."""


class PeerError(Exception):
    """The peer found no optimum."""


def piqp_installed() -> bool:
    """Whether PIQP is here."""
    return util.find_spec("piqp") is not None


def piqp(problem: Problem, accuracy: float = 1e-9) -> Callable[[], Table]:
    """PIQP set up with the problem; each call solves it and gives [N, T] what is asked, W.

    Raises:
        PeerError: on the call, when there is no solution.
    """
    solver_module: Any = import_module("piqp")
    sparse: Any = import_module("scipy.sparse")
    sites, count = problem.cap_w.shape
    size = sites * count
    curve = _curve(problem)
    solver = solver_module.SparseSolver()
    solver.settings.eps_abs = accuracy
    solver.settings.eps_rel = accuracy
    rows, most = _limits(problem)
    empty = np.zeros(0)
    solver.setup(
        sparse.diags(np.concatenate((curve, np.zeros(count))), format="csc"),
        _linear(problem),
        _balance(problem),
        problem.target_w / _KILO,
        rows,
        np.full(len(most), -np.inf) if len(most) else empty,
        most,
        np.zeros(size + count),
        np.concatenate((problem.cap_w.ravel() / _KILO, np.full(count, np.inf))),
    )

    def run() -> Table:
        status = solver.solve()
        if status != solver_module.PIQP_SOLVED:
            raise PeerError(f"PIQP ended with {status}")
        x: Table = np.asarray(solver.result.x)[:size].reshape(sites, count) * _KILO
        return x

    return run


def highs_lp(problem: Problem) -> Callable[[], float]:
    """HiGHS with the problem without its square term; each call solves it: Wh nobody can give.

    Raises:
        PeerError: on the call, when there is no solution.
    """
    highspy: Any = import_module("highspy")
    sparse: Any = import_module("scipy.sparse")
    sites, count = problem.cap_w.shape
    rows, most = _limits(problem)
    target = problem.target_w / _KILO
    matrix = sparse.vstack((_balance(problem), rows), format="csc")
    programme = highspy.HighsLp()
    programme.num_col_, programme.num_row_ = matrix.shape[1], matrix.shape[0]
    programme.col_cost_ = _linear(problem)
    programme.col_lower_ = np.zeros(matrix.shape[1])
    programme.col_upper_ = np.concatenate(
        (problem.cap_w.ravel() / _KILO, np.full(count, highspy.kHighsInf))
    )
    programme.row_lower_ = np.concatenate((target, np.full(len(most), -highspy.kHighsInf)))
    programme.row_upper_ = np.concatenate((target, most))
    programme.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    programme.a_matrix_.start_ = matrix.indptr
    programme.a_matrix_.index_ = matrix.indices
    programme.a_matrix_.value_ = matrix.data

    def run() -> float:
        solver = highspy.Highs()
        solver.setOptionValue("output_flag", False)
        solver.setOptionValue("threads", 1)
        solver.passModel(programme)
        solver.run()
        if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            raise PeerError(f"HiGHS ended with {solver.getModelStatus()}")
        short = np.asarray(solver.getSolution().col_value)[sites * count :]
        return float(short @ problem.hours) * _KILO

    return run


def _curve(problem: Problem) -> Vector:
    """Of the objective, per kW twice: hours over weight; 1 where nothing can be given."""
    weight = problem.weight_w / _KILO
    each = np.divide(problem.hours, weight, out=np.ones_like(weight), where=weight > 0)
    return np.asarray(each.ravel())


def _linear(problem: Problem) -> Vector:
    costs = problem.cost[:, None] * problem.hours
    return np.concatenate((costs.ravel(), problem.shortage * problem.hours))


def _balance(problem: Problem) -> Matrix:
    """[T] rows: what is expected to come, and the shortfall."""
    sparse: Any = import_module("scipy.sparse")
    count = len(problem.hours)
    one = sparse.identity(count)
    given = sparse.kron(problem.delivers[None, :], one)
    return sparse.hstack((given, one), format="csc")


def _limits(problem: Problem) -> tuple[Matrix, Vector]:
    """Rows of the energies that are limited and of the bounds, and their right-hand sides, kW."""
    sparse: Any = import_module("scipy.sparse")
    sites, count = problem.cap_w.shape
    limited = np.flatnonzero(problem.energy_wh < problem.cap_w @ problem.hours)
    pick = sparse.csr_matrix(
        (np.ones(len(limited)), (np.arange(len(limited)), limited)), shape=(len(limited), sites)
    )
    energy = sparse.kron(pick, problem.hours[None, :])
    bounds = problem.bounds
    rows = sparse.csr_matrix(
        (bounds.coefficient, (bounds.row, bounds.site * count + bounds.interval)),
        shape=(len(bounds), sites * count),
    )
    both = sparse.vstack((energy, rows))
    wide = sparse.hstack((both, sparse.csr_matrix((both.shape[0], count))), format="csc")
    return wide, np.concatenate((problem.energy_wh[limited], bounds.most)) / _KILO
