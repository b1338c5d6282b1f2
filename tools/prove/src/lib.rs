//! Fault proof: the functions' real handlers among faults and kills, compared with a reference model.
