use std::sync::Arc;

use headwater_env::SimulatedClock;

use super::*;

#[test]
fn an_operator_has_the_time_that_those_below_it_do_not_have() {
    let clock = Arc::new(SimulatedClock::new(0));
    let profile = Profile::new(Arc::clone(&clock) as SharedClock);
    let pass = |milliseconds| clock.advance(Duration::from_millis(milliseconds));
    pass(1);
    {
        let _aggregate = profile.enter(Operator::Aggregate);
        pass(10);
        {
            let _scan = profile.enter(Operator::Scan);
            pass(100);
        }
        pass(20);
    }
    pass(2);
    drop(profile.enter(Operator::Fill));
    let spent = |operator| profile.spent(operator).as_millis();
    assert_eq!(
        Operator::ALL.map(|(operator, _)| spent(operator)),
        [0, 100, 0, 30, 0, 0, 3]
    );
}
